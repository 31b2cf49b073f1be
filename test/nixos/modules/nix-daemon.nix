{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) types mkOption;
  cfg = config.nix;
  atom =
    types.nullOr (
      types.oneOf [
        types.bool
        types.int
        types.float
        types.str
        types.path
        types.package
      ]
    )
    // {
      description = "Nix config atom (null, bool, int, float, str, path or package)";
      descriptionClass = "conjunction";
    };
  value = types.either atom (types.listOf atom);
  list = default: description: mkOption {
    type = types.listOf types.str;
    inherit default description;
  };
  shown =
    v:
    if v == true then
      "true"
    else if v == false then
      "false"
    else
      toString v;
in
{
  options.nix = {
    enable = mkOption {
      type = types.bool;
      default = true;
      description = "Whether to enable Nix.";
    };
    package = mkOption {
      type = types.package;
      default = pkgs.nix;
      description = "The Nix package.";
    };
    nrBuildUsers = mkOption {
      type = types.int;
      # NixOS: 32. The machine's Nix is run by root alone unless a test asks for more.
      default = 0;
      description = "How many users there are to run builds as.";
    };
    nixPath = list [ ] "Where `<name>` is looked up.";
    extraOptions = mkOption {
      type = types.lines;
      default = "";
      description = "Further text of nix.conf(5).";
    };
    settings = mkOption {
      type = types.submodule {
        freeformType = types.attrsOf value;
        options = {
          substituters = list [ ] "Where binaries are fetched from.";
          trusted-public-keys = list [ ] "Keys that sign binaries.";
          trusted-users = list [ ] "Users that may do what root may.";
          allowed-users = list [ "*" ] "Users that may use Nix.";
          require-sigs = mkOption {
            type = types.bool;
            default = true;
            description = "Whether fetched paths must be signed.";
          };
          sandbox = mkOption {
            type = types.either types.bool (types.enum [ "relaxed" ]);
            # NixOS: true. In the machine's container only where a test sets it up.
            default = false;
            description = "Whether builds are isolated.";
          };
          extra-sandbox-paths = list [ ] "Paths that builds see.";
          max-jobs = mkOption {
            type = types.either types.int (types.enum [ "auto" ]);
            default = "auto";
            description = "How many builds at once.";
          };
          cores = mkOption {
            type = types.int;
            default = 0;
            description = "How many cores a build uses.";
          };
        };
      };
      default = { };
      description = "Settings of nix.conf(5).";
    };
  };
  config = lib.mkIf cfg.enable {
    nix.settings = {
      trusted-users = [ "root" ];
      build-users-group = if cfg.nrBuildUsers == 0 then "" else "nixbld";
      # The machine's Nix looks for it where there is nothing (README.md).
      build-hook = "";
      # The same shell that NixOS's sandbox has; Debian's Nix names one that is not there.
      sandbox-paths = [ "/bin/sh=${pkgs.userland}/bin/busybox" ];
    };
    users.users = lib.listToAttrs (
      lib.genList (
        n:
        lib.nameValuePair "nixbld${toString (n + 1)}" {
          description = "Nix build user ${toString (n + 1)}";
          uid = 30001 + n;
          isSystemUser = true;
          group = "nixbld";
          extraGroups = [ "nixbld" ];
        }
      ) cfg.nrBuildUsers
    );
    users.groups.nixbld.gid = 30000;
    systemd.sockets.nix-daemon = {
      description = "Nix Daemon Socket";
      wantedBy = [ "sockets.target" ];
      before = [ "multi-user.target" ];
      unitConfig.RequiresMountsFor = "/nix/store";
      listenStreams = [ "/nix/var/nix/daemon-socket/socket" ];
    };
    systemd.services.nix-daemon = {
      description = "Nix Daemon";
      requires = [ "nix-daemon.socket" ];
      path = [
        cfg.package
        pkgs.util-linux
        pkgs.openssh
      ];
      restartTriggers = [ config.environment.etc."nix/nix.conf".source ];
      stopIfChanged = false;
      serviceConfig = {
        ExecStart = "@${cfg.package}/bin/nix-daemon nix-daemon --daemon";
        KillMode = "process";
        LimitNOFILE = 1048576;
      };
    };
    environment.etc."nix/nix.conf".text =
      lib.concatStrings (lib.mapAttrsToList (name: v: lib.optionalString (v != null) "${name} = ${shown v}\n") cfg.settings)
      + cfg.extraOptions;
  };
}

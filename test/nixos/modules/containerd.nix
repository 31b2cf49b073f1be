{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) types mkOption;
  cfg = config.virtualisation.containerd;
  toml = pkgs.formats.toml { };
in
{
  options.virtualisation.containerd = {
    enable = mkOption {
      type = types.bool;
      default = false;
      description = "Whether containerd runs.";
    };
    configFile = mkOption {
      type = types.nullOr types.path;
      default = null;
      description = "Its configuration in place of the settings.";
    };
    settings = mkOption {
      inherit (toml) type;
      default = { };
      description = "Its configuration.";
    };
    args = mkOption {
      type = types.attrsOf types.str;
      default = { };
      description = "Further arguments.";
    };
  };

  # NixOS's values: the version and the folder of plugins are plain and optional definitions there, too.
  config = lib.mkIf cfg.enable {
    virtualisation.containerd = {
      args.config = toString (if cfg.configFile == null then toml.generate "containerd.toml" cfg.settings else cfg.configFile);
      settings = {
        version = 2;
        plugins."io.containerd.grpc.v1.cri".cni.bin_dir = lib.mkOverride 1500 "${pkgs.cni-plugins}/bin";
      };
    };
    environment.systemPackages = [ pkgs.containerd ];
    systemd.services.containerd = {
      description = "containerd - container runtime";
      wantedBy = [ "multi-user.target" ];
      after = [
        "network.target"
        "local-fs.target"
        "dbus.service"
      ];
      path = [
        pkgs.containerd
        pkgs.runc
      ];
      startLimitBurst = 16;
      startLimitIntervalSec = 120;
      serviceConfig = {
        ExecStart = "${pkgs.containerd}/bin/containerd ${
          lib.concatStringsSep " " (lib.mapAttrsToList (name: value: "--${name} ${value}") cfg.args)
        }";
        Delegate = "yes";
        KillMode = "process";
        Type = "notify";
        Restart = "always";
        RestartSec = 10;
        LimitNPROC = "infinity";
        LimitCORE = "infinity";
        TasksMax = "infinity";
        OOMScoreAdjust = -999;
        StateDirectory = "containerd";
        RuntimeDirectory = "containerd";
        RuntimeDirectoryPreserve = "yes";
      };
    };
  };
}

{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) types mkOption;
  cfg = config.security.sudo;
  names = description: mkOption {
    type = types.listOf (types.either types.str types.int);
    default = [ ];
    inherit description;
  };
  extraRules = mkOption {
    type = types.listOf (
      types.submodule {
        options = {
          users = names "Users.";
          groups = names "Groups.";
          host = mkOption {
            type = types.str;
            default = "ALL";
            description = "Hosts.";
          };
          runAs = mkOption {
            type = types.str;
            default = "ALL:ALL";
            description = "As whom.";
          };
          commands = mkOption {
            type = types.listOf (
              types.either types.str (types.submodule { freeformType = types.lazyAttrsOf types.unspecified; })
            );
            description = "What.";
          };
        };
      }
    );
    default = [ ];
    description = "Rules of sudoers(5).";
  };
  shown = who: if builtins.isInt who then "#${toString who}" else who;
  commandText = c: if builtins.isString c then c else "${lib.concatMapStrings (o: "${o}: ") (c.options or [ ])}${c.command}";
  ruleText =
    rule:
    lib.concatMapStrings (
      who: "${who} ${rule.host}=(${rule.runAs}) ${lib.concatMapStringsSep ", " commandText rule.commands}\n"
    ) (map shown rule.users ++ map (group: "%${shown group}") rule.groups);
in
{
  options.security.sudo-rs = {
    enable = mkOption {
      type = types.bool;
      default = false;
      description = "Whether to enable sudo-rs. It is not to be had here.";
    };
    inherit extraRules;
  };
  options.security.sudo = {
    enable = mkOption {
      type = types.bool;
      default = true;
      description = "Whether to enable the sudo command.";
    };
    package = mkOption {
      type = types.package;
      default = pkgs.sudo;
      description = "The sudo package.";
    };
    wheelNeedsPassword = mkOption {
      type = types.bool;
      default = true;
      description = "Whether members of wheel must give a password.";
    };
    inherit extraRules;
    extraConfig = mkOption {
      type = types.lines;
      default = "";
      description = "Further text of sudoers(5).";
    };
  };
  config = lib.mkIf cfg.enable {
    security.sudo.extraRules = lib.mkBefore [
      {
        groups = [ "wheel" ];
        commands = [ { command = "ALL"; options = lib.optional (!cfg.wheelNeedsPassword) "NOPASSWD"; } ];
      }
    ];
    environment.etc.sudoers = {
      text = ''
        Defaults secure_path="/run/wrappers/bin:/run/current-system/sw/bin"
        root ALL=(ALL:ALL) ALL
        ${lib.concatMapStrings ruleText cfg.extraRules}
        ${cfg.extraConfig}
      '';
      mode = "0440";
    };
    environment.systemPackages = [ cfg.package ];
  };
}

# What can be said of a user and of a group.
{ lib, pkgs }:
let
  inherit (lib) types mkOption;
  entry = types.passwdEntry types.str;
  nullable = type: description: mkOption {
    type = types.nullOr type;
    default = null;
    inherit description;
  };
  flag = description: mkOption {
    type = types.bool;
    default = false;
    inherit description;
  };
  user =
    { name, config, ... }:
    {
      options = {
        name = mkOption {
          type = entry;
          default = name;
          description = "Name of the account.";
        };
        enable = mkOption {
          type = types.bool;
          default = true;
          description = "Whether the account exists.";
        };
        description = mkOption {
          type = entry;
          default = "";
          description = "Who it is.";
        };
        uid = nullable types.int "Its number; null lets one be chosen, and kept.";
        isSystemUser = flag "Whether it is a system user.";
        isNormalUser = flag "Whether it is a person.";
        group = mkOption {
          type = types.str;
          default = "";
          description = "Its primary group.";
        };
        extraGroups = mkOption {
          type = types.listOf types.str;
          default = [ ];
          description = "Its further groups.";
        };
        home = mkOption {
          type = types.passwdEntry types.path;
          default = "/var/empty";
          description = "Its home.";
        };
        createHome = flag "Whether the home is made.";
        homeMode = mkOption {
          type = types.strMatching "[0-7]{1,5}";
          default = "700";
          description = "Mode of the home.";
        };
        shell = mkOption {
          type = types.nullOr (types.either types.package (types.passwdEntry types.path));
          default = "${pkgs.shadow}/bin/nologin";
          description = "Its shell.";
        };
        hashedPassword = nullable entry "Its password, hashed; `!` for none.";
        packages = mkOption {
          type = types.listOf types.package;
          default = [ ];
          description = "Packages in its PATH.";
        };
        openssh.authorizedKeys.keys = mkOption {
          type = types.listOf types.singleLineStr;
          default = [ ];
          description = "Keys that may log in.";
        };
        openssh.authorizedKeys.keyFiles = mkOption {
          type = types.listOf types.path;
          default = [ ];
          description = "Files with keys that may log in.";
        };
      };
      config = lib.mkIf config.isNormalUser {
        group = lib.mkDefault "users";
        home = lib.mkDefault "/home/${config.name}";
        createHome = lib.mkDefault true;
        shell = lib.mkDefault pkgs.bashInteractive;
      };
    };
  group =
    { name, ... }:
    {
      options = {
        name = mkOption {
          type = entry;
          default = name;
          description = "Name of the group.";
        };
        gid = nullable types.int "Its number.";
        members = mkOption {
          type = types.listOf entry;
          default = [ ];
          description = "Members.";
        };
      };
    };
in
{
  inherit user group;
}

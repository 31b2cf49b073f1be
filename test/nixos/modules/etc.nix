{
  config,
  lib,
  pkgs,
  ...
}:
let
  entry =
    { name, config, ... }:
    {
      options = {
        enable = lib.mkOption {
          type = lib.types.bool;
          default = true;
          description = "Whether this file is made.";
        };
        target = lib.mkOption {
          type = lib.types.str;
          default = name;
          description = "Path below /etc.";
        };
        text = lib.mkOption {
          type = lib.types.nullOr lib.types.lines;
          default = null;
          description = "Text of the file.";
        };
        source = lib.mkOption {
          type = lib.types.path;
          description = "File or directory that it links to.";
        };
        mode = lib.mkOption {
          type = lib.types.str;
          default = "symlink";
          description = "`symlink`, or the mode of a copy in octal digits.";
        };
        user = lib.mkOption {
          type = lib.types.str;
          default = "+${toString 0}";
          description = "Owner of a copy.";
        };
        group = lib.mkOption {
          type = lib.types.str;
          default = "+${toString 0}";
          description = "Group of a copy.";
        };
      };
      config.source = lib.mkIf (config.text != null) (
        lib.mkDefault (pkgs.writeText "etc-${lib.replaceStrings [ "/" "@" " " ] [ "-" "-" "-" ] name}" config.text)
      );
    };
  entries = builtins.filter (e: e.enable) (builtins.attrValues config.environment.etc);
  quote = lib.escapeShellArg;
in
{
  options.environment.etc = lib.mkOption {
    type = lib.types.attrsOf (lib.types.submodule entry);
    default = { };
    description = "Files of /etc.";
  };
  config = {
    system.build.etc = pkgs.runCommand "etc" { } (
      ''
        mkdir -p "$out/etc"
        copies="$out/copies"
        : >"$copies"
        place() { # target source mode user group
          if [ -e "$out/etc/$1" ] || [ -L "$out/etc/$1" ]; then echo "environment.etc has two files $1" >&2; exit 1; fi
          case $1 in */*) mkdir -p "$out/etc/''${1%/*}" ;; esac
          ln -s "$2" "$out/etc/$1"
          [ "$3" = symlink ] || printf '%s\t%s\t%s\t%s\n' "$3" "$4" "$5" "$1" >>"$copies"
        }
      ''
      + lib.concatMapStrings (
        e: "place ${quote e.target} ${quote "${e.source}"} ${quote e.mode} ${quote e.user} ${quote e.group}\n"
      ) entries
    );
    system.activationScripts.etc = {
      deps = [
        "users"
      ];
      text = "${pkgs.perl}/bin/perl ${../programs/setup-etc.pl} ${config.system.build.etc}";
    };
  };
}

# The directory /etc/systemd/system: upstream's units with programs' paths made the userland's, ours, and the links
# that enable them. A unit of ours that upstream has too is a drop-in `overrides.conf`, as NixOS does it.
{
  lib,
  pkgs,
  units,
  upstream,
}:
let
  quote = lib.escapeShellArg;
  all = builtins.attrValues units;
  write = u: ''
    unit ${quote u.name} ${if u.enable then u.overrideStrategy else "disabled"} ${quote (if u.text == null then "" else u.text)}
  '';
  link = kind: u: targets: lib.concatMapStrings (t: "enable ${quote t}.${kind} ${quote u.name}\n") targets;
  links =
    u:
    lib.optionalString u.enable (
      link "wants" u u.wantedBy
      + link "requires" u u.requiredBy
      + link "upholds" u u.upheldBy
      + lib.concatMapStrings (a: "ln -sfn ${quote u.name} \"$out\"/${quote a}\n") u.aliases
    );
in
pkgs.runCommand "system-units" { } (
  ''
    mkdir -p "$out"
    upstream() {
      [ -e "${pkgs.userland}/lib/systemd/system/$1" ] || { echo "systemd has no unit $1" >&2; exit 1; }
      sed -E -e 's#(^|[=@!:+ -])(/usr)?/s?bin/#\1${pkgs.userland}/bin/#g' \
        -e 's#^(Exec[A-Za-z]+=[-@:+!|]*)([a-z])#\1${pkgs.userland}/bin/\2#' "${pkgs.userland}/lib/systemd/system/$1" >"$out/$1"
    }
    unit() { # name strategy text
      if [ "$2" = disabled ]; then ln -sfn /dev/null "$out/$1"; return; fi
      if [ "$2" = asDropin ] || [ -e "$out/$1" ]; then
        mkdir -p "$out/$1.d"
        printf '%s' "$3" >"$out/$1.d/overrides.conf"
      else
        printf '%s' "$3" >"$out/$1"
      fi
    }
    enable() { # target.kind unit
      mkdir -p "$out/$1"
      ln -sfn "../$2" "$out/$1/$2"
    }
  ''
  + lib.concatMapStrings (name: "upstream ${quote name}\n") upstream
  + lib.concatMapStrings write all
  + lib.concatMapStrings links all
)

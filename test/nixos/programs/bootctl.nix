# `bootctl set-oneshot`, for the loader of README.md. The machine's own bootctl would look for an EFI partition.
{ pkgs }:
pkgs.writeShellScriptBin "bootctl" ''
  set -eu
  export PATH=${pkgs.coreutils}/bin
  loader=/boot/firn-loader
  case "''${1-} $#" in
    "set-oneshot 2") ;;
    "is-installed 1") if [ -e "$loader/default" ]; then echo yes; exit 0; else echo no; exit 1; fi ;;
    *) echo "bootctl: here are only: set-oneshot ENTRY, is-installed" >&2; exit 1 ;;
  esac
  if [ -z "$2" ]; then rm -f "$loader/oneshot"; sync "$loader"; exit 0; fi
  [ -x "$2/init" ] || { echo "bootctl: no system: $2" >&2; exit 1; }
  printf '%s\n' "$2" >"$loader/.oneshot"
  sync "$loader/.oneshot"
  mv -T "$loader/.oneshot" "$loader/oneshot"
  sync "$loader"
''

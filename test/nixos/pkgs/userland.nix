# The store path with Debian's programs; README.md, "What the machine gives". The machine writes `../userland`.
{ lib }:
let
  file = ../userland;
  # Without the machine (modules are only evaluated) a path of the right form that nothing can build.
  path =
    if builtins.pathExists file then
      lib.removeSuffix "\n" (builtins.readFile file)
    else
      "/nix/store/00000000000000000000000000000000-debian-userland";
in
builtins.appendContext path { ${path}.path = true; }

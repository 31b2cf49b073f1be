# A store path that the machine names in a file; README.md, "What the machine gives". Without the machine (modules are only
# evaluated) a path of the right form that nothing can build.
{ lib }:
file: name:
let
  path =
    if builtins.pathExists file then
      lib.removeSuffix "\n" (builtins.readFile file)
    else
      "/nix/store/00000000000000000000000000000000-${name}";
in
builtins.appendContext path { ${path}.path = true; }

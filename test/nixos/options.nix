# Every option that the stand-in declares, as { name, type }: what test/nix/options.test.ts compares with NixOS's.
let
  lib = import ./lib;
  inherit (import ./eval.nix { inherit lib; } { system = "x86_64-linux"; modules = [ ]; }) options;
  inherit (import ./lib/options.nix { inherit lib; }) isOption showOption;
  list =
    loc: tree:
    lib.concatLists (
      lib.mapAttrsToList (
        name: node:
        let
          here = loc ++ [ name ];
        in
        if name == "_module" then
          [ ]
        else if isOption node then
          [
            {
              name = showOption node.loc;
              type = node.type.description;
              described = node ? description;
            }
          ]
          ++ list node.loc (builtins.removeAttrs (node.type.getSubOptions node.loc) [ "_module" ])
        else
          list here node
      ) tree
    );
in
list [ ] options

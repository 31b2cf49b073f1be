# `pkgs.formats`: settings as Nix values, files as derivations.
{ lib, build }:
let
  json =
    with lib.types;
    nullOr (oneOf [
      bool
      int
      float
      str
      path
      (attrsOf json)
      (listOf json)
    ])
    // {
      description = "JSON value";
    };
in
{
  json = _: {
    type = json;
    generate = name: value: build.writeText name (builtins.toJSON value);
  };
}

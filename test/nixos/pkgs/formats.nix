# `pkgs.formats`: settings as Nix values, files as derivations.
{ lib, build }:
let
  values =
    description:
    let
      value =
        with lib.types;
        oneOf [
          bool
          int
          float
          str
          path
          (attrsOf value)
          (listOf value)
        ]
        // {
          inherit description;
        };
    in
    value;
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

  # toml.io: strings are JSON's, tables may stand in one line.
  toToml =
    value:
    if builtins.isAttrs value then
      "{ ${lib.concatStringsSep ", " (lib.mapAttrsToList pair value)} }"
    else if builtins.isList value then
      "[ ${lib.concatMapStringsSep ", " toToml value} ]"
    else if builtins.isPath value then
      builtins.toJSON (toString value)
    else
      builtins.toJSON value;
  pair = name: value: "${builtins.toJSON name} = ${toToml value}";
in
{
  json = _: {
    type = json;
    generate = name: value: build.writeText name (builtins.toJSON value);
  };
  toml = _: {
    type = values "TOML value";
    generate = name: value: build.writeText name (lib.concatStrings (lib.mapAttrsToList (n: v: "${pair n v}\n") value));
  };
}

# What types are made of: how one is described inside of another, and the ways of merging.
{ lib }:
let
  inherit (import ../options.nix { inherit lib; }) showOption showDefs;
in
rec {
  valuesOf = map (def: def.value);

  mkType =
    {
      name,
      check,
      merge ? mergeEqual,
      description ? name,
      descriptionClass ? null,
      getSubOptions ? _: { },
      ...
    }@attrs:
    attrs
    // {
      _type = "option-type";
      inherit
        check
        merge
        description
        descriptionClass
        getSubOptions
        ;
    };

  # A type's description inside of another's: in parentheses unless it reads well without.
  phrase =
    classes: type:
    if builtins.elem type.descriptionClass classes then type.description else "(${type.description})";
  noun = [ "noun" ];
  nounOrComposite = [
    "noun"
    "composite"
  ];
  nounOrConjunction = [
    "noun"
    "conjunction"
  ];

  mergeOne =
    loc: defs:
    if builtins.length defs == 1 then
      (builtins.head defs).value
    else
      throw "The option `${showOption loc}' is defined multiple times while it's expected to be unique. Definition values:${showDefs defs}\nUse `lib.mkForce value` or `lib.mkDefault value` to change the priority on any of these definitions.";
  conflict =
    loc: defs:
    throw "The option `${showOption loc}' has conflicting definition values:${showDefs defs}\nUse `lib.mkForce value` or `lib.mkDefault value` to change the priority on any of these definitions.";
  mergeEqual =
    loc: defs:
    let
      first = (builtins.head defs).value;
    in
    if builtins.all (value: value == first) (valuesOf (builtins.tail defs)) then first else conflict loc defs;
  # What `types.unspecified` and options without a type do.
  mergeByKind =
    loc: defs:
    let
      values = valuesOf defs;
      all = f: builtins.all f values;
    in
    if builtins.length defs == 1 then
      builtins.head values
    else if all builtins.isFunction then
      x: mergeByKind loc (map (def: def // { value = def.value x; }) defs)
    else if all builtins.isList then
      builtins.concatLists values
    else if all builtins.isAttrs then
      builtins.foldl' (a: b: a // b) { } values
    else if all builtins.isBool then
      builtins.any lib.id values
    else if all builtins.isString then
      lib.concatStrings values
    else
      mergeEqual loc defs;
}

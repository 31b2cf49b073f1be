# Types of single values.
{ lib }:
let
  inherit (import ./make.nix { inherit lib; })
    mkType
    mergeByKind
    mergeEqual
    mergeOne
    valuesOf
    ;
  isStringLike = x: builtins.isString x || (builtins.isAttrs x && x ? outPath);
  isAbsolute = x: (builtins.isPath x || isStringLike x) && builtins.substring 0 1 (toString x) == "/";

  intBetween =
    low: high: description:
    mkType {
      name = "int";
      inherit description;
      descriptionClass = "noun";
      check = x: builtins.isInt x && x >= low && x <= high;
    };
  unsigned =
    bits: high:
    intBetween 0 high "${toString bits} bit unsigned integer; between 0 and ${toString high} (both inclusive)";
in
rec {
  raw = mkType {
    name = "raw";
    description = "raw value";
    descriptionClass = "noun";
    check = _: true;
    merge = mergeOne;
  };
  unspecified = mkType {
    name = "unspecified";
    description = "unspecified value";
    descriptionClass = "noun";
    check = _: true;
    merge = mergeByKind;
  };
  bool = mkType {
    name = "bool";
    description = "boolean";
    descriptionClass = "noun";
    check = builtins.isBool;
  };
  int = mkType {
    name = "int";
    description = "signed integer";
    descriptionClass = "noun";
    check = builtins.isInt;
  };
  float = mkType {
    name = "float";
    description = "floating point number";
    descriptionClass = "noun";
    check = builtins.isFloat;
  };
  ints = {
    between = low: high: intBetween low high "integer between ${toString low} and ${toString high} (both inclusive)";
    u8 = unsigned 8 255;
    u16 = unsigned 16 65535;
    u32 = unsigned 32 4294967295;
    unsigned =
      intBetween 0 9223372036854775807 "unsigned integer, meaning >=0"
      // {
        descriptionClass = "nonRestrictiveClause";
      };
    positive =
      intBetween 1 9223372036854775807 "positive integer, meaning >0"
      // {
        descriptionClass = "nonRestrictiveClause";
      };
  };
  port = ints.u16;
  str = mkType {
    name = "str";
    description = "string";
    descriptionClass = "noun";
    check = builtins.isString;
  };
  strMatching =
    pattern:
    mkType {
      name = "strMatching";
      description = "string matching the pattern ${pattern}";
      descriptionClass = "noun";
      check = x: builtins.isString x && builtins.match pattern x != null;
    };
  nonEmptyStr = mkType {
    name = "nonEmptyStr";
    description = "non-empty string";
    descriptionClass = "noun";
    check = x: builtins.isString x && builtins.match "[ \t\n]*" x == null;
  };
  singleLineStr = mkType {
    name = "singleLineStr";
    description = "(optionally newline-terminated) single-line string";
    descriptionClass = "noun";
    check = x: builtins.isString x && builtins.match "[^\n\r]*\n?" x != null;
    merge = loc: defs: lib.removeSuffix "\n" (mergeEqual loc defs);
  };
  passwdEntry =
    type:
    type
    // {
      description = "${type.description}, not containing newlines or colons";
      descriptionClass = "nonRestrictiveClause";
      check = x: type.check x && !(lib.hasInfix ":" "${x}") && !(lib.hasInfix "\n" "${x}");
    };
  separatedString =
    separator:
    mkType {
      name = "separatedString";
      description = "strings concatenated with ${builtins.toJSON separator}";
      descriptionClass = "noun";
      check = builtins.isString;
      merge = _: defs: builtins.concatStringsSep separator (valuesOf defs);
    };
  lines = separatedString "\n";
  commas = separatedString ",";
  path = mkType {
    name = "path";
    description = "absolute path";
    descriptionClass = "noun";
    check = isAbsolute;
  };
  package = mkType {
    name = "package";
    descriptionClass = "noun";
    check = x: lib.isDerivation x || (isAbsolute x && lib.hasPrefix "/nix/store/" (toString x));
    merge = mergeOne;
  };
  shellPackage = package // {
    check = x: lib.isDerivation x && x ? shellPath;
  };
  attrs = mkType {
    name = "attrs";
    description = "attribute set";
    check = builtins.isAttrs;
    merge = _: defs: builtins.foldl' (a: def: a // def.value) { } defs;
  };
  enum =
    values:
    let
      shown = map (v: if builtins.isString v then ''"${v}"'' else builtins.toJSON v) values;
      single = builtins.length values == 1;
    in
    mkType {
      name = "enum";
      description =
        if single then
          "value ${builtins.head shown} (singular enum)"
        else
          "one of ${builtins.concatStringsSep ", " shown}";
      descriptionClass = if single then "noun" else "conjunction";
      check = x: builtins.elem x values;
    };
  addCheck = type: check: type // { check = x: type.check x && check x; };
}

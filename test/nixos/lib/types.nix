# Option types, with nixpkgs' names, descriptions and ways of merging.
{ lib }:
let
  inherit (import ./options.nix { inherit lib; }) showOption showDefs;
  inherit (import ./merge.nix { inherit lib; }) mergeDefinitions;
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
  anythingMerge =
    loc: defs:
    let
      values = valuesOf defs;
    in
    if builtins.all (v: builtins.isAttrs v && !lib.isDerivation v) values then
      (types.lazyAttrsOf types.anything).merge loc defs
    else if builtins.all builtins.isList values then
      if builtins.length values == 1 then builtins.head values else mergeEqual loc defs
    else
      mergeEqual loc defs;

  isStringLike = x: builtins.isString x || (builtins.isAttrs x && x ? outPath);
  isAbsolute = x: (builtins.isPath x || isStringLike x) && builtins.substring 0 1 (toString x) == "/";

  elementwise =
    elemType: loc: defs:
    builtins.concatLists (
      lib.imap1 (
        n: def:
        builtins.concatMap (m: if m.isDefined then [ m.mergedValue ] else [ ]) (
          lib.imap1 (
            i: value:
            mergeDefinitions (loc ++ [ "[definition ${toString n}-entry ${toString i}]" ]) elemType [
              (def // { inherit value; })
            ]
          ) def.value
        )
      ) defs
    );

  memberwise =
    loc: defs: elemType:
    builtins.mapAttrs (name: list: mergeDefinitions (loc ++ [ name ]) elemType list) (
      builtins.zipAttrsWith (_: list: list) (
        map (def: builtins.mapAttrs (_: value: { inherit (def) file; inherit value; }) def.value) defs
      )
    );

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

  submoduleOf =
    {
      modules,
      shorthandOnlyDefinesConfig ? true,
      description ? "submodule",
      specialArgs ? { },
    }:
    let
      asModule =
        def:
        if builtins.isAttrs def.value && shorthandOnlyDefinesConfig then
          {
            _file = def.file;
            config = def.value;
          }
        else
          { imports = [ def.value ]; _file = def.file; };
      evaluate =
        loc: defs:
        lib.evalModules {
          modules = [
            { _module.args.name = if loc == [ ] then "‹name›" else lib.last loc; }
          ]
          ++ modules
          ++ map asModule defs;
          inherit specialArgs;
          prefix = loc;
        };
      freeform = (evaluate [ ] [ ])._module.freeformType;
    in
    mkType {
      name = "submodule";
      # Evaluated only where a description is asked for.
      description =
        if freeform == null then description else "open ${description} of ${phrase nounOrComposite freeform}";
      check = x: builtins.isAttrs x || builtins.isFunction x || builtins.isPath x;
      merge = loc: defs: (evaluate loc defs).config;
      getSubOptions = loc: (evaluate loc [ ]).options;
      inherit modules;
      typeMerge =
        other: if other.name == "submodule" then submoduleOf { modules = modules ++ other.modules; } else null;
    };

  types = rec {
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
    anything = mkType {
      name = "anything";
      descriptionClass = "noun";
      check = _: true;
      merge = anythingMerge;
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
    nullOr =
      elemType:
      mkType {
        name = "nullOr";
        description = "null or ${phrase nounOrConjunction elemType}";
        descriptionClass = "conjunction";
        check = x: x == null || elemType.check x;
        merge =
          loc: defs:
          let
            nulls = lib.count (def: def.value == null) defs;
          in
          if nulls == builtins.length defs then
            null
          else if nulls > 0 then
            throw "The option `${showOption loc}' is defined both null and not null, in:${showDefs defs}"
          else
            elemType.merge loc defs;
        emptyValue = null;
        inherit (elemType) getSubOptions;
      };
    listOf =
      elemType:
      mkType {
        name = "listOf";
        description = "list of ${phrase nounOrComposite elemType}";
        descriptionClass = "composite";
        check = builtins.isList;
        merge = elementwise elemType;
        emptyValue = [ ];
        getSubOptions = loc: elemType.getSubOptions (loc ++ [ "*" ]);
      };
    nonEmptyListOf =
      elemType:
      listOf elemType
      // {
        description = "non-empty ${(listOf elemType).description}";
        check = x: builtins.isList x && x != [ ];
      };
    attrsOf =
      elemType:
      mkType {
        name = "attrsOf";
        description = "attribute set of ${phrase nounOrComposite elemType}";
        descriptionClass = "composite";
        check = builtins.isAttrs;
        merge =
          loc: defs:
          builtins.mapAttrs (_: m: m.mergedValue) (
            lib.filterAttrs (_: m: m.isDefined) (memberwise loc defs elemType)
          );
        getSubOptions = loc: elemType.getSubOptions (loc ++ [ "<name>" ]);
        emptyValue = { };
        inherit elemType;
        typeMerge =
          other:
          if other.name == "attrsOf" && elemType ? typeMerge then
            attrsOf (elemType.typeMerge other.elemType)
          else
            null;
      };
    # Members may refer to each other; one that mkIf leaves out is an error when it is used.
    lazyAttrsOf =
      elemType:
      attrsOf elemType
      // {
        description = "lazy attribute set of ${phrase nounOrComposite elemType}";
        merge = loc: defs: builtins.mapAttrs (_: m: m.mergedValue) (memberwise loc defs elemType);
      };
    either =
      a: b:
      mkType {
        name = "either";
        description = "${phrase nounOrConjunction a} or ${
          phrase [
            "noun"
            "conjunction"
            "composite"
          ] b
        }";
        descriptionClass = "conjunction";
        check = x: a.check x || b.check x;
        merge =
          loc: defs:
          if builtins.all a.check (valuesOf defs) then
            a.merge loc defs
          else if builtins.all b.check (valuesOf defs) then
            b.merge loc defs
          else
            mergeOne loc defs;
      };
    oneOf = list: builtins.foldl' either (builtins.head list) (builtins.tail list);
    coercedTo =
      from: convert: to:
      mkType {
        name = "coercedTo";
        description = "${phrase nounOrConjunction to} or ${phrase noun from} convertible to it";
        check = x: (from.check x && to.check (convert x)) || to.check x;
        merge =
          loc: defs:
          to.merge loc (map (def: def // { value = if from.check def.value then convert def.value else def.value; }) defs);
        inherit (to) getSubOptions;
      };
    addCheck = type: check: type // { check = x: type.check x && check x; };
    submodule = modules: submoduleOf { modules = lib.toList modules; };
    submoduleWith = submoduleOf;
  };
in
types // { inherit mkType mergeOne; }

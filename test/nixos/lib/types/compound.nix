# Types that hold values of other types.
{ lib }:
let
  inherit (import ../options.nix { inherit lib; }) showOption showDefs;
  inherit (import ../merge.nix { inherit lib; }) mergeDefinitions;
  inherit (import ./make.nix { inherit lib; })
    mkType
    phrase
    noun
    nounOrComposite
    nounOrConjunction
    mergeEqual
    mergeOne
    valuesOf
    ;
  anythingMerge =
    loc: defs:
    let
      values = valuesOf defs;
    in
    if builtins.all (v: builtins.isAttrs v && !lib.isDerivation v) values then
      (compound.lazyAttrsOf compound.anything).merge loc defs
    else if builtins.all builtins.isList values then
      if builtins.length values == 1 then builtins.head values else mergeEqual loc defs
    else
      mergeEqual loc defs;

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

  compound = rec {
    anything = mkType {
      name = "anything";
      descriptionClass = "noun";
      check = _: true;
      merge = anythingMerge;
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
  };
in
compound

# The module system: modules in, `config` and `options` out.
{ lib }:
let
  inherit (import ./options.nix { inherit lib; })
    isOption
    showOption
    showDefs
    mkOptionDefault
    ;
  inherit (import ./merge.nix { inherit lib; }) mergeDefinitions;

  collect = import ./collect.nix { inherit lib; };

  # A definition of an attribute set, wrapped or not, as plain sets whose members carry the wrapping.
  pushDown =
    value:
    let
      wrapped = wrap: builtins.concatMap (set: [ (builtins.mapAttrs (_: wrap) set) ]) (pushDown value.content);
      kind = value._type or null;
    in
    if kind == "merge" then
      builtins.concatMap pushDown value.contents
    else if kind == "if" || kind == "override" || kind == "order" then
      wrapped (content: value // { inherit content; })
    else
      [ value ];

  evalOption =
    loc: decls: defs:
    let
      # The same option may be declared again with a submodule type: its modules add up (as `fileSystems` does).
      types = builtins.filter (t: t != null) (map (d: d.option.type or null) decls);
      type =
        if types == [ ] then
          lib.types.unspecified
        else if builtins.length types == 1 then
          builtins.head types
        else
          builtins.foldl' (
            a: b:
            if a ? typeMerge && a.typeMerge b != null then
              a.typeMerge b
            else
              throw "The option `${showOption loc}' in `${(lib.last decls).file}' is already declared in `${(builtins.head decls).file}'."
          ) (builtins.head types) (builtins.tail types);
      option = builtins.foldl' (a: d: a // d.option) { } decls;
      defaults =
        if option ? default then
          [
            {
              inherit (builtins.head decls) file;
              value = mkOptionDefault option.default;
            }
          ]
        else
          [ ];
      merged = mergeDefinitions loc type (defaults ++ defs);
      readOnlyTwice = option.readOnly or false && builtins.length merged.discharged > 1;
      value =
        if readOnlyTwice then
          throw "The option `${showOption loc}' is read-only, but it's set multiple times. Definition values:${showDefs defs}"
        else
          merged.mergedValue;
    in
    option
    // {
      inherit loc type;
      declarations = map (d: d.file) decls;
      inherit (merged) isDefined;
      definitions = map (d: d.value) merged.defsFinal;
      files = map (d: d.file) merged.defsFinal;
      highestPrio = merged.best;
      value = if option ? apply then option.apply value else value;
    };

  # Declarations and definitions below `loc`, matched: { options, config, unmatched }.
  matchTree =
    loc: decls: defs:
    let
      sets = builtins.concatMap (def: map (value: def // { inherit value; }) (pushDown def.value)) defs;
      checked = map (
        def:
        if builtins.isAttrs def.value then
          def
        else
          throw "The option `${showOption loc}' is a set of options, but its definition in `${def.file}' is not a set."
      ) sets;
      declsOf = builtins.zipAttrsWith (_: list: list) (
        map (d: builtins.mapAttrs (_: value: { inherit (d) file; inherit value; }) d.value) decls
      );
      defsOf = builtins.zipAttrsWith (_: list: list) (
        map (d: builtins.mapAttrs (_: value: { inherit (d) file; inherit value; }) d.value) checked
      );
      members = builtins.mapAttrs (
        name: list:
        let
          here = loc ++ [ name ];
          optionDecls = builtins.filter (d: isOption d.value) list;
        in
        if builtins.length optionDecls == builtins.length list then
          {
            leaf = evalOption here (map (d: { inherit (d) file; option = d.value; }) list) (defsOf.${name} or [ ]);
          }
        else if optionDecls == [ ] then
          { tree = matchTree here list (defsOf.${name} or [ ]); }
        else
          throw "The option `${showOption here}' in `${(builtins.head optionDecls).file}' would be a parent of other options."
      ) declsOf;
      unknown = builtins.concatMap (
        name:
        map (def: {
          loc = loc ++ [ name ];
          inherit def;
        }) defsOf.${name}
      ) (builtins.attrNames (builtins.removeAttrs defsOf (builtins.attrNames declsOf)));
    in
    {
      options = builtins.mapAttrs (_: m: m.leaf or m.tree.options) members;
      config = builtins.mapAttrs (_: m: if m ? leaf then m.leaf.value else m.tree.config) members;
      unmatched = unknown ++ builtins.concatMap (m: if m ? tree then m.tree.unmatched else [ ]) (builtins.attrValues members);
    };

  # Declared options over what a freeform type merged.
  overlay =
    options: free: config:
    free
    // builtins.mapAttrs (
      name: value: if isOption options.${name} || !free ? ${name} then value else overlay options.${name} free.${name} value
    ) config;

  internalModule = {
    _file = "lib/modules.nix";
    options._module.args = lib.mkOption {
      type = lib.types.lazyAttrsOf lib.types.raw;
      internal = true;
      description = "Additional arguments passed to each module.";
    };
    options._module.freeformType = lib.mkOption {
      type = lib.types.nullOr lib.types.raw;
      default = null;
      internal = true;
      description = "If set, definitions that match no option are merged by this type.";
    };
    options._module.check = lib.mkOption {
      type = lib.types.bool;
      default = true;
      internal = true;
      description = "Whether to check that every definition matches an option.";
    };
  };
in
{
  evalModules =
    {
      modules,
      specialArgs ? { },
      prefix ? [ ],
    }:
    let
      args = specialArgs // {
        inherit lib config;
        inherit (result) options;
      };
      all = collect args ([ internalModule ] ++ modules);
      result = matchTree prefix (map (m: { inherit (m) file; value = m.options; }) all) (
        map (m: { inherit (m) file; value = m.config; }) all
        ++ builtins.concatMap (
          m:
          if m.freeformType == null then [ ] else [ { inherit (m) file; value = { _module = { inherit (m) freeformType; }; }; } ]
        ) all
      );
      freeform = result.config._module.freeformType;
      free = freeform.merge prefix (
        map (u: u.def // { value = lib.setAttrByPath (lib.drop (builtins.length prefix) u.loc) u.def.value; }) result.unmatched
      );
      config = if freeform == null then result.config else overlay result.options free result.config;
      refuse =
        let
          first = builtins.head result.unmatched;
          same = builtins.filter (u: u.loc == first.loc) result.unmatched;
        in
        throw "The option `${showOption first.loc}' does not exist. Definition values:${showDefs (map (u: u.def) same)}";
      isChecked = freeform == null && result.config._module.check;
    in
    {
      inherit (result) options;
      config =
        if isChecked && result.unmatched != [ ] then refuse else builtins.removeAttrs config [ "_module" ];
      inherit (config) _module;
      type = lib.types.submodule { imports = modules; };
    };
}

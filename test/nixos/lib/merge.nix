# From the definitions of one option to its value.
{ lib }:
let
  inherit (import ./options.nix { inherit lib; }) showOption showDefs;
  plainPriority = 100;

  # mkMerge and mkIf disappear; what mkIf leaves out was never defined.
  discharge =
    value:
    if value._type or null == "merge" then
      builtins.concatMap discharge value.contents
    else if value._type or null == "if" then
      if !builtins.isBool value.condition then
        throw "`mkIf' called with a non-Boolean condition"
      else if value.condition then
        discharge value.content
      else
        [ ]
    else
      [ value ];

  priorityOf = def: if def.value._type or null == "override" then def.value.priority else plainPriority;
  unwrapOverride =
    def: if def.value._type or null == "override" then def // { value = def.value.content; } else def;

  strongest =
    defs:
    let
      best = builtins.foldl' (p: def: lib.min p (priorityOf def)) 9999 defs;
    in
    {
      inherit best;
      defs = map unwrapOverride (builtins.filter (def: priorityOf def == best) defs);
    };

  isOrdered = def: def.value._type or null == "order";
  inOrder =
    defs:
    let
      rank = def: if isOrdered def then def.value.priority else 1000;
      unwrap = def: if isOrdered def then def // { value = def.value.content; } else def;
    in
    if builtins.any isOrdered defs then
      map unwrap (builtins.sort (a: b: rank a < rank b) defs)
    else
      defs;
in
{
  mergeDefinitions =
    loc: type: defs:
    rec {
      discharged = builtins.concatMap (
        def: map (value: def // { inherit value; }) (discharge def.value)
      ) defs;
      inherit (strongest discharged) best;
      defsFinal = inOrder (strongest discharged).defs;
      isDefined = defsFinal != [ ];
      mergedValue =
        if !isDefined && type ? emptyValue then
          type.emptyValue
        else if !isDefined then
          throw "The option `${showOption loc}' was accessed but has no value defined. Try setting the option."
        else if builtins.all (def: type.check def.value) defsFinal then
          type.merge loc defsFinal
        else
          let
            wrong = builtins.filter (def: !type.check def.value) defsFinal;
          in
          throw "A definition for option `${showOption loc}' is not of type `${type.description}'. Definition values:${showDefs wrong}";
      optionalValue = if isDefined then { value = mergedValue; } else { };
    };
}

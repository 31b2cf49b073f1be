{ lib }:
rec {
  inherit (builtins)
    attrNames
    attrValues
    catAttrs
    getAttr
    hasAttr
    intersectAttrs
    listToAttrs
    mapAttrs
    removeAttrs
    ;
  nameValuePair = name: value: { inherit name value; };
  mapAttrs' = f: set: builtins.listToAttrs (mapAttrsToList f set);
  mapAttrsToList = f: set: map (name: f name set.${name}) (builtins.attrNames set);
  concatMapAttrs = f: set: mergeAttrsList (mapAttrsToList f set);
  mergeAttrsList = builtins.foldl' (a: b: a // b) { };
  filterAttrs =
    predicate: set:
    builtins.removeAttrs set (
      builtins.filter (name: !predicate name set.${name}) (builtins.attrNames set)
    );
  genAttrs = names: f: builtins.listToAttrs (map (name: nameValuePair name (f name)) names);
  optionalAttrs = condition: set: if condition then set else { };
  attrsToList = mapAttrsToList nameValuePair;
  attrByPath =
    path: fallback: set:
    if path == [ ] then
      set
    else if builtins.isAttrs set && set ? ${builtins.head path} then
      attrByPath (builtins.tail path) fallback set.${builtins.head path}
    else
      fallback;
  hasAttrByPath =
    path: set:
    path == [ ]
    || builtins.isAttrs set
    && set ? ${builtins.head path}
    && hasAttrByPath (builtins.tail path) set.${builtins.head path};
  setAttrByPath =
    path: value:
    if path == [ ] then value else { ${builtins.head path} = setAttrByPath (builtins.tail path) value; };
  getAttrFromPath = path: set: attrByPath path (throw "cannot find attribute `${lib.concatStringsSep "." path}'") set;
  recursiveUpdate =
    a: b:
    if builtins.isAttrs a && builtins.isAttrs b then
      a // builtins.mapAttrs (name: value: if a ? ${name} then recursiveUpdate a.${name} value else value) b
    else
      b;
}

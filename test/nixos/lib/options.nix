# Declaring options, the wrappers that definitions may carry, and how both are shown in errors.
{ lib }:
rec {
  mkOption = attrs: attrs // { _type = "option"; };
  isOption = x: builtins.isAttrs x && x._type or null == "option";
  mkEnableOption =
    what:
    mkOption {
      type = lib.types.bool;
      default = false;
      example = true;
      description = "Whether to enable ${what}.";
    };
  mkPackageOption =
    pkgs: name: _:
    mkOption {
      type = lib.types.package;
      default = pkgs.${name};
      description = "The ${name} package to use.";
    };
  literalExpression = text: {
    _type = "literalExpression";
    inherit text;
  };
  mdDoc = text: text;

  mkIf = condition: content: {
    _type = "if";
    inherit condition content;
  };
  mkMerge = contents: {
    _type = "merge";
    inherit contents;
  };
  # The smallest number wins: 10 force, 50 mkVMOverride, 100 plain, 1000 default, 1500 an option's own default.
  mkOverride = priority: content: {
    _type = "override";
    inherit priority content;
  };
  mkForce = mkOverride 50;
  mkDefault = mkOverride 1000;
  mkOptionDefault = mkOverride 1500;
  mkOrder = priority: content: {
    _type = "order";
    inherit priority content;
  };
  mkBefore = mkOrder 500;
  mkAfter = mkOrder 1500;

  showOption = path: builtins.concatStringsSep "." (map showName path);
  showName =
    name: if builtins.match "[A-Za-z_<*][A-Za-z0-9_'>*-]*" name != null then name else builtins.toJSON name;

  showDefs = defs: builtins.concatStringsSep "" (map showDef defs);
  showDef = def: "\n- In `${def.file}'${shown (builtins.tryEval (show 2 def.value))}";
  shown = result: if result.success then ": ${result.value}" else "";

  # Values in errors, three levels deep: enough to recognize a definition.
  show =
    depth: value:
    if builtins.isAttrs value then
      if value ? _type && value ? content then
        show depth value.content
      else if value.type or null == "derivation" then
        "<derivation ${value.name}>"
      else if depth == 0 then
        "{ … }"
      else
        "{ ${
          builtins.concatStringsSep " " (
            lib.mapAttrsToList (name: member: "${showName name} = ${show (depth - 1) member};") value
          )
        } }"
    else if builtins.isList value then
      if depth == 0 then "[ … ]" else "[ ${builtins.concatStringsSep " " (map (show (depth - 1)) value)} ]"
    else if builtins.isFunction value then
      "<function>"
    else if builtins.isPath value then
      toString value
    else if builtins.isFloat value then
      toString value
    else
      builtins.toJSON value;
}

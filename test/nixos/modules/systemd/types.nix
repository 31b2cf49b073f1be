# What all unit types have in common: option types, options, and how settings become text.
{ lib }:
let
  inherit (lib) types mkOption;
in
rec {
  unitSuffix = "service|socket|device|mount|automount|swap|target|path|timer|scope|slice";
  unitName = types.strMatching ''[a-zA-Z0-9@%:_.\\-]+[.](${unitSuffix})'';
  unitOption = types.mkType {
    name = "systemd option";
    check = _: true;
    merge =
      loc: defs:
      if builtins.any (def: builtins.isList def.value) defs then
        builtins.concatMap (def: lib.toList def.value) defs
      else
        types.unspecified.merge loc (oneOrEqual loc defs);
  };
  # Unlike `unspecified`, two different strings are a conflict.
  oneOrEqual = loc: defs: [ ((builtins.head defs) // { value = types.str.merge loc defs; }) ];
  settings = description: mkOption {
    type = types.attrsOf unitOption;
    default = { };
    inherit description;
  };
  units = description: mkOption {
    type = types.listOf unitName;
    default = [ ];
    inherit description;
  };

  sharedOptions = name: {
    enable = mkOption {
      type = types.bool;
      default = true;
      description = "If false, the unit is a link to /dev/null.";
    };
    name = mkOption {
      type = types.str;
      default = name;
      description = "The unit's name.";
    };
    overrideStrategy = mkOption {
      type = types.enum [
        "asDropinIfExists"
        "asDropin"
      ];
      default = "asDropinIfExists";
      description = "Whether the unit is a drop-in of one that exists, or always one.";
    };
    requiredBy = units "Units that require this one.";
    upheldBy = units "Units that uphold this one.";
    wantedBy = units "Units that want this one.";
    aliases = units "Other names.";
  };

  unitOptions = name: sharedOptions name // {
    description = mkOption {
      type = types.singleLineStr;
      default = "";
      description = "Description.";
    };
    documentation = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "URIs.";
    };
    requires = units "Requires=";
    wants = units "Wants=";
    upholds = units "Upholds=";
    after = units "After=";
    before = units "Before=";
    bindsTo = units "BindsTo=";
    partOf = units "PartOf=";
    conflicts = units "Conflicts=";
    requisite = units "Requisite=";
    onFailure = units "OnFailure=";
    onSuccess = units "OnSuccess=";
    unitConfig = settings "Settings of [Unit].";
    startLimitBurst = mkOption {
      type = types.int;
      description = "StartLimitBurst=";
    };
    startLimitIntervalSec = mkOption {
      type = types.int;
      description = "StartLimitIntervalSec=";
    };
    restartTriggers = mkOption {
      type = types.listOf types.unspecified;
      default = [ ];
      description = "Anything; a change restarts the unit.";
    };
    reloadTriggers = mkOption {
      type = types.listOf unitOption;
      default = [ ];
      description = "Anything; a change reloads the unit.";
    };
  };

  # The options above as settings of [Unit].
  unitSettings =
    options: config:
    let
      list = key: values: lib.optionalAttrs (values != [ ]) { ${key} = toString values; };
    in
    list "Requires" config.requires
    // list "Wants" config.wants
    // list "Upholds" config.upholds
    // list "After" config.after
    // list "Before" config.before
    // list "BindsTo" config.bindsTo
    // list "PartOf" config.partOf
    // list "Conflicts" config.conflicts
    // list "Requisite" config.requisite
    // list "OnFailure" config.onFailure
    // list "OnSuccess" config.onSuccess
    // list "X-Restart-Triggers" (trigger config.restartTriggers)
    // list "X-Reload-Triggers" (trigger config.reloadTriggers)
    // list "Documentation" config.documentation
    // lib.optionalAttrs (config.description != "") { Description = config.description; }
    // lib.optionalAttrs options.startLimitBurst.isDefined { StartLimitBurst = config.startLimitBurst; }
    // lib.optionalAttrs options.startLimitIntervalSec.isDefined {
      StartLimitIntervalSec = config.startLimitIntervalSec;
    };
  # Store paths name their content. Texts that are long or of more lines become a hash, as a unit's line must.
  trigger = map (
    t:
    let
      text = toString t;
    in
    if builtins.match "[^\n ]{0,300}" text != null then text else builtins.hashString "sha256" (builtins.unsafeDiscardStringContext text)
  );

  settingsToText =
    set:
    lib.concatStrings (
      lib.concatLists (
        lib.mapAttrsToList (
          name: value:
          map (v: "${name}=${valueToText v}\n") (builtins.filter (v: v != null) (lib.toList value))
        ) set
      )
    );
  valueToText =
    v:
    if v == true then
      "true"
    else if v == false then
      "false"
    else
      toString v;
  section = name: set: "[${name}]\n${settingsToText set}\n";
}

# What nixpkgs calls `lib`, as far as small modules use it. Names and behaviour are nixpkgs' own; what is not
# here is an error when it is used, never something else than there.
let
  lib = import ./lists.nix // import ./attrsets.nix { inherit lib; } // import ./strings.nix { inherit lib; } // {
    types = import ./types { inherit lib; };
    inherit (import ./options.nix { inherit lib; })
      mkOption
      mkEnableOption
      mkPackageOption
      isOption
      showOption
      showDefs
      literalExpression
      mdDoc
      mkIf
      mkMerge
      mkOverride
      mkForce
      mkDefault
      mkOptionDefault
      mkOrder
      mkBefore
      mkAfter
      ;
    inherit (import ./modules.nix { inherit lib; }) evalModules;
    inherit (import ./merge.nix { inherit lib; }) mergeDefinitions;

    inherit (builtins)
      fromJSON
      fromTOML
      functionArgs
      isAttrs
      isBool
      isFunction
      isInt
      isList
      isPath
      isString
      pathExists
      readFile
      seq
      toJSON
      trace
      tryEval
      ;
    id = x: x;
    const = x: _: x;
    flip =
      f: a: b:
      f b a;
    pipe = builtins.foldl' (x: f: f x);
    min = a: b: if a < b then a else b;
    max = a: b: if a > b then a else b;
    throwIf = condition: message: if condition then throw message else x: x;
    throwIfNot = condition: message: if condition then x: x else throw message;
    warn = message: builtins.trace "warning: ${message}";
    importJSON = file: builtins.fromJSON (builtins.readFile file);
    getExe = p: "${p}/bin/${p.meta.mainProgram or p.pname or p.name}";
    getExe' = p: name: "${p}/bin/${name}";
    getBin = p: p;
    isDerivation = x: x.type or null == "derivation";
    boolToString = b: if b then "true" else "false";
    version = "26.05";
    trivial.release = "26.05";
  };
in
lib

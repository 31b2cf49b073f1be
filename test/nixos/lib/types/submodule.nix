# Types that are modules.
{ lib }:
let
  inherit (import ./make.nix { inherit lib; }) mkType phrase nounOrComposite;
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
in
{
  submodule = modules: submoduleOf { modules = lib.toList modules; };
  submoduleWith = submoduleOf;
}

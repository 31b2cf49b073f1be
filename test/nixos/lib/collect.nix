# Modules in all their forms, with what they import, as one list.
{ lib }:
let
  moduleKeys = [
    "_file"
    "key"
    "imports"
    "options"
    "config"
    "freeformType"
    "_class"
  ];

  # One module as { file, key, imports, options, config }. A module without `config` and `options` is all config.
  normalize =
    file: key: module:
    let
      explicit = module ? config || module ? options;
      foreign = builtins.attrNames (builtins.removeAttrs module moduleKeys);
      meta = [
        "_file"
        "key"
        "imports"
        "_class"
        "freeformType"
      ];
    in
    if !builtins.isAttrs module then
      throw "Module `${file}' does not look like a module: it is neither a function nor an attribute set."
    else if explicit && foreign != [ ] then
      throw "Module `${module._file or file}' has an unsupported attribute `${builtins.head foreign}'. This is caused by introducing a top-level `config' or `options' attribute. Add configuration attributes immediately on the top level instead, or move all of them (namely: ${toString foreign}) into the explicit `config' attribute."
    else
      {
        file = toString (module._file or file);
        # A path of another flake is a string with a context, which no attribute name may have.
        key = builtins.unsafeDiscardStringContext (module.key or key);
        imports = module.imports or [ ];
        options = module.options or { };
        freeformType = module.freeformType or null;
        config = if explicit then module.config or { } else builtins.removeAttrs module meta;
      };

  isPathLike = x: builtins.isPath x || builtins.isString x || (builtins.isAttrs x && x ? outPath);

  # All modules with their imports, each path once, in the order of imports first.
  collect =
    args: modules:
    let
      apply =
        f: args // builtins.mapAttrs (name: _: args.${name} or args.config._module.args.${name}) (builtins.functionArgs f);
      load =
        parent: position: module:
        let
          file = if isPathLike module then toString module else parent;
          key = if isPathLike module then toString module else "${parent}:anon-${position}";
          imported = if isPathLike module then import module else module;
          called = if builtins.isFunction imported then imported (apply imported) else imported;
        in
        normalize file key called;
      loadAll = parent: prefix: list: lib.imap1 (i: load parent "${prefix}${toString i}") list;
      walk =
        seen: list:
        builtins.foldl' (
          state: module:
          if state.keys ? ${module.key} then
            state
          else
            let
              below = walk {
                keys = state.keys // {
                  ${module.key} = true;
                };
                modules = state.modules;
              } (loadAll module.file "${module.key}-" module.imports);
            in
            {
              inherit (below) keys;
              modules = below.modules ++ [ module ];
            }
        ) seen list;
    in
    (walk {
      keys = { };
      modules = [ ];
    } (loadAll "<unknown-file>" "" modules)).modules;
in
collect

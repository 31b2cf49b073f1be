# Derivations without a standard environment: a script that the userland's static busybox runs, so that builds
# need neither a network nor anything of the FHS, sandboxed or not.
{
  lib,
  system,
  userland,
}:
let
  prologue = ''
    "${userland}/bin/busybox" mkdir -p "$NIX_BUILD_TOP/.programs"
    "${userland}/bin/busybox" --install -s "$NIX_BUILD_TOP/.programs"
    PATH="$NIX_BUILD_TOP/.programs"
    for input in ''${nativeBuildInputs:-} ''${buildInputs:-}; do PATH="$PATH:$input/bin"; done
    export PATH
  '';
  runCommand =
    name: env: script:
    derivation (
      builtins.removeAttrs env [ "meta" ]
      // {
        inherit name system;
        builder = "${userland}/bin/busybox";
        args = [
          "sh"
          "-euc"
          ''. "$scriptPath"''
        ];
        passAsFile = [ "script" ] ++ env.passAsFile or [ ];
        script = prologue + script;
        preferLocalBuild = true;
        allowSubstitutes = false;
      }
    )
    // {
      inherit name;
      meta = env.meta or { };
      passthru = { };
    };
  quote = lib.escapeShellArg;
in
rec {
  inherit runCommand;
  runCommandLocal = runCommand;

  writeTextFile =
    {
      name,
      text,
      executable ? false,
      destination ? "",
      meta ? { },
      ...
    }:
    runCommand name
      {
        inherit text meta;
        passAsFile = [ "text" ];
      }
      ''
        target=$out${quote destination}
        mkdir -p "''${target%/*}"
        cat "$textPath" >"$target"
        ${lib.optionalString executable ''chmod +x "$target"''}
      '';
  # A text without references needs no build at all.
  writeText =
    name: text:
    if builtins.hasContext text then writeTextFile { inherit name text; } else builtins.toFile name text;
  writeTextDir = path: text: writeTextFile { name = baseNameOf path; inherit text; destination = "/${path}"; };
  writeScript = name: text: writeTextFile { inherit name text; executable = true; };
  writeScriptBin =
    name: text:
    writeTextFile {
      inherit name text;
      executable = true;
      destination = "/bin/${name}";
      meta.mainProgram = name;
    };
  writeShellScript = name: text: writeScript name "#!${userland}/bin/bash\n${text}\n";
  writeShellScriptBin = name: text: writeScriptBin name "#!${userland}/bin/bash\n${text}\n";
  writeShellApplication =
    {
      name,
      text,
      runtimeInputs ? [ ],
      ...
    }:
    writeShellScriptBin name ''
      set -o errexit -o nounset -o pipefail
      export PATH="${lib.concatMapStringsSep ":" (p: "${p}/bin") runtimeInputs}:$PATH"
      ${text}
    '';

  # `links`: list of { name, path }.
  linkFarm =
    name: links:
    runCommand name { } (
      "mkdir -p \"$out\"\n"
      + lib.concatMapStrings (link: ''
        mkdir -p "$(dirname "$out"/${quote link.name})"
        ln -s ${quote (toString link.path)} "$out"/${quote link.name}
      '') links
    );

  # Directories become real, everything below them links; the first of two files of one name stays.
  buildEnv =
    {
      name,
      paths,
      pathsToLink ? [ "/" ],
      ...
    }:
    runCommand name { } ''
      mkdir -p "$out"
      for path in ${lib.concatMapStringsSep " " (p: quote (toString p)) paths}; do
        for part in ${lib.concatMapStringsSep " " quote pathsToLink}; do
          [ -d "$path$part" ] || continue
          (cd "$path" && find ".$part" -follow -type d) | while read -r d; do mkdir -p "$out/$d"; done
          (cd "$path" && find ".$part" ! -type d) | while read -r f; do
            [ -e "$out/$f" ] || [ -L "$out/$f" ] || ln -s "$path/$f" "$out/$f"
          done
        done
      done
    '';
  symlinkJoin = args: buildEnv (builtins.removeAttrs args [ "postBuild" ]);
}

{ lib }:
rec {
  inherit (builtins)
    concatStringsSep
    match
    replaceStrings
    split
    stringLength
    substring
    toString
    ;
  concatStrings = builtins.concatStringsSep "";
  concatLines = concatMapStrings (line: "${line}\n");
  concatMapStrings = f: list: concatStrings (map f list);
  concatMapStringsSep =
    separator: f: list:
    builtins.concatStringsSep separator (map f list);
  concatMapAttrsStringSep =
    separator: f: set:
    builtins.concatStringsSep separator (lib.mapAttrsToList f set);
  optionalString = condition: text: if condition then text else "";
  hasPrefix = prefix: text: builtins.substring 0 (builtins.stringLength prefix) text == prefix;
  hasSuffix =
    suffix: text:
    let
      from = builtins.stringLength text - builtins.stringLength suffix;
    in
    from >= 0 && builtins.substring from (-1) text == suffix;
  hasInfix = infix: text: builtins.length (builtins.split (escapeRegex infix) text) > 1;
  removePrefix =
    prefix: text:
    if hasPrefix prefix text then builtins.substring (builtins.stringLength prefix) (-1) text else text;
  removeSuffix =
    suffix: text:
    if hasSuffix suffix text then
      builtins.substring 0 (builtins.stringLength text - builtins.stringLength suffix) text
    else
      text;
  escapeRegex = builtins.replaceStrings [ "\\" "[" "]" "{" "}" "(" ")" "^" "$" "?" "*" "+" "|" "." ] [ "\\\\" "\\[" "\\]" "\\{" "\\}" "\\(" "\\)" "\\^" "\\$" "\\?" "\\*" "\\+" "\\|" "\\." ];
  escape = list: builtins.replaceStrings list (map (c: "\\${c}") list);
  escapeShellArg =
    value:
    let
      text = builtins.toString value;
    in
    if builtins.match "[[:alnum:],._+:@%/-]+" text != null then text else "'${builtins.replaceStrings [ "'" ] [ "'\\''" ] text}'";
  escapeShellArgs = concatMapStringsSep " " escapeShellArg;
  splitString = separator: text: builtins.filter builtins.isString (builtins.split (escapeRegex separator) text);
  trim =
    text:
    let
      kept = builtins.head (builtins.match "[[:space:]]*(.*[^[:space:]])?[[:space:]]*" text);
    in
    if kept == null then "" else kept;
  # As NixOS names units after mount points: systemd.unit(5), "String Escaping for Inclusion in Unit Names".
  escapeSystemdPath =
    path:
    let
      trimmed = removePrefix "/" (removeSuffix "/" path);
    in
    if trimmed == "" then "-" else builtins.replaceStrings [ "-" "/" " " ] [ "\\x2d" "-" "\\x20" ] trimmed;
  versionAtLeast = a: b: builtins.compareVersions a b >= 0;
  versionOlder = a: b: builtins.compareVersions a b < 0;
  toUpper = builtins.replaceStrings (chars "abcdefghijklmnopqrstuvwxyz") (chars "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
  toLower = builtins.replaceStrings (chars "ABCDEFGHIJKLMNOPQRSTUVWXYZ") (chars "abcdefghijklmnopqrstuvwxyz");
  stringToCharacters = chars;
  chars = text: builtins.genList (i: builtins.substring i 1 text) (builtins.stringLength text);
  fixedWidthString =
    width: filler: text:
    if builtins.stringLength text >= width then text else fixedWidthString width filler (filler + text);
}

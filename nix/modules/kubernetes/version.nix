# Kubernetes moves one minor at a time, and never back: kubernetes.io/releases/version-skew-policy.
{ config, lib, ... }:
let
  inherit (lib) types mkOption;
  cfg = config.firn.kubernetes;
  numbers = version: map builtins.fromJSON (lib.take 2 (lib.splitString "." version));
  minorOf = version: builtins.elemAt (numbers version) 1;
  majorOf = version: builtins.head (numbers version);
  here = cfg.package.version;
  minor = version: "${toString (majorOf version)}.${toString (minorOf version)}";
  step = minorOf here - minorOf cfg.runningVersion;
  versionType = pattern: types.nullOr (types.strMatching pattern);
in
{
  options.firn.kubernetes = {
    version = mkOption {
      type = versionType "1[.][0-9]{1,3}";
      default = null;
      example = "1.36";
      description = "The minor version that `package` must have; null: any.";
    };
    runningVersion = mkOption {
      type = versionType "1[.][0-9]{1,3}([.][0-9]{1,3})?";
      default = null;
      example = "1.35.4";
      description = ''
        The version that this host runs now, where it runs one. The next one may be of the same minor or of the one above.
      '';
    };
  };

  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion = cfg.version != null -> minor here == cfg.version;
        message = "firn.kubernetes.package is ${here}, but firn.kubernetes.version is ${toString cfg.version}. Pin a nixpkgs that has it.";
      }
      {
        assertion = cfg.runningVersion != null -> step >= 0;
        message = "firn.kubernetes.package is ${here}, and this host runs ${toString cfg.runningVersion}: Kubernetes does not go back. Restore a backup of the datastore instead.";
      }
      {
        assertion = cfg.runningVersion != null -> step <= 1;
        message = "firn.kubernetes.package is ${here}, and this host runs ${toString cfg.runningVersion}: Kubernetes moves one minor at a time. Go to 1.${toString (minorOf cfg.runningVersion + 1)} first.";
      }
    ];
  };
}

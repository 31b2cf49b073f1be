# Which version each component is, and which may be beside each other: kubernetes.io/releases/version-skew-policy.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) types mkOption;
  cfg = config.firn.kubernetes;
  programs = {
    apiServer = "kube-apiserver";
    controllerManager = "kube-controller-manager";
    scheduler = "kube-scheduler";
    kubelet = "kubelet";
    kubeProxy = "kube-proxy";
  };
  # How many minors older than the API server of its host. Those of other hosts are for whoever upgrades a cluster to know.
  olderBy = {
    apiServer = 0;
    controllerManager = 1;
    scheduler = 1;
    kubelet = 3;
    kubeProxy = 3;
  };
  here = if cfg.isControlPlane then builtins.attrNames programs else [ "kubelet" "kubeProxy" ];

  numbers = version: map builtins.fromJSON (lib.take 2 (lib.splitString "." version));
  minorOf = version: builtins.elemAt (numbers version) 1;
  minor = version: "${toString (builtins.head (numbers version))}.${toString (minorOf version)}";
  versionOf = name: cfg.packages.${name}.version;

  others = lib.filter (name: cfg.versions.${name} != null && minor (versionOf name) != cfg.versions.${name}) here;
  other = builtins.head others;

  lag = name: minorOf (versionOf "apiServer") - minorOf (versionOf name);
  apart = lib.filter (name: cfg.isControlPlane && (lag name < 0 || lag name > olderBy.${name})) here;

  leading = versionOf (if cfg.isControlPlane then "apiServer" else "kubelet");
  step = minorOf leading - minorOf cfg.runningVersion;
  moves = "${programs.${if cfg.isControlPlane then "apiServer" else "kubelet"}} is to be ${leading}, and this host runs ${toString cfg.runningVersion}";
  versionType = pattern: types.nullOr (types.strMatching pattern);
  minorType = versionType "1[.][0-9]{1,3}";
in
{
  options.firn.kubernetes = {
    package = lib.mkPackageOption pkgs "kubernetes" { };
    packages = builtins.mapAttrs (
      _: program:
      mkOption {
        type = types.package;
        default = cfg.package;
        defaultText = lib.literalExpression "config.firn.kubernetes.package";
        description = "The package with ${program}. In an upgrade it is not the same for all of them.";
      }
    ) programs;
    version = mkOption {
      type = minorType;
      default = null;
      example = "1.36";
      description = "The minor version that all components must have; null: any.";
    };
    versions = builtins.mapAttrs (
      _: program:
      mkOption {
        type = minorType;
        default = cfg.version;
        defaultText = lib.literalExpression "config.firn.kubernetes.version";
        description = "The minor version that ${program} must have; null: any.";
      }
    ) programs;
    runningVersion = mkOption {
      type = versionType "1[.][0-9]{1,3}([.][0-9]{1,3})?";
      default = null;
      example = "1.35.4";
      description = ''
        The version that this host's API server, or on a worker its kubelet, has now. The next one may be of the same minor or of
        the one above. Who upgrades by an operator leaves it null: the operator knows what runs, and a value that
        follows that would be a change of the system by itself.
      '';
    };
  };

  # A host that runs no pods runs nothing of these.
  config = lib.mkIf cfg.runsPods {
    assertions = [
      {
        assertion = others == [ ];
        message = "${programs.${other}} is ${versionOf other}, but firn.kubernetes.version is ${toString cfg.versions.${other}}. Pin a nixpkgs that has it.";
      }
      {
        assertion = apart == [ ];
        message = "kube-apiserver is ${versionOf "apiServer"}, beside which ${
          lib.concatMapStringsSep ", " (name: "${programs.${name}} ${versionOf name}") apart
        } cannot be: nothing may be newer than the API server, the controller manager and the scheduler at most one minor older, kubelet and kube-proxy at most three.";
      }
      {
        assertion = cfg.runningVersion != null -> step >= 0;
        message = "${moves}: Kubernetes does not go back. Restore a backup of the datastore instead.";
      }
      {
        assertion = cfg.runningVersion != null -> step <= 1;
        message = "${moves}: Kubernetes moves one minor at a time. Go to 1.${toString (minorOf cfg.runningVersion + 1)} first.";
      }
    ];
  };
}

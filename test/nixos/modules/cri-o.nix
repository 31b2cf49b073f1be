{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) types mkOption;
  cfg = config.virtualisation.cri-o;
  toml = pkgs.formats.toml { };
  nullable = type: description: mkOption {
    type = types.nullOr type;
    default = null;
    inherit description;
  };
in
{
  options.virtualisation.cri-o = {
    enable = mkOption {
      type = types.bool;
      default = false;
      description = "Whether CRI-O runs.";
    };
    storageDriver = mkOption {
      type = types.enum [
        "aufs"
        "btrfs"
        "devmapper"
        "overlay"
        "vfs"
        "zfs"
      ];
      default = "overlay";
      description = "How layers of images are put on top of each other.";
    };
    logLevel = mkOption {
      type = types.enum [
        "trace"
        "debug"
        "info"
        "warn"
        "error"
        "fatal"
      ];
      default = "info";
      description = "What is logged.";
    };
    pauseImage = nullable types.str "The image of a pod's sandbox.";
    pauseCommand = nullable types.str "What the sandbox runs.";
    runtime = nullable types.str "The default OCI runtime.";
    networkDir = nullable types.path "The folder of network configurations." // { internal = true; };
    extraPackages = mkOption {
      type = types.listOf types.package;
      default = [ ];
      description = "Packages in its PATH.";
    };
    package = mkOption {
      type = types.package;
      default = pkgs.cri-o;
      internal = true;
      description = "The CRI-O package.";
    };
    settings = mkOption {
      inherit (toml) type;
      default = { };
      description = "Its configuration.";
    };
  };

  config = lib.mkIf cfg.enable {
    environment.systemPackages = [
      cfg.package
      pkgs.cri-tools
    ];
    environment.etc."crio/crio.conf.d/00-default.conf".source = toml.generate "00-default.conf" cfg.settings;
    environment.etc."cni/net.d/10-crio-bridge.conflist".source = builtins.toFile "10-crio-bridge.conflist" "{}";
    environment.etc."cni/net.d/99-loopback.conflist".source = builtins.toFile "99-loopback.conflist" "{}";
    virtualisation.cri-o.settings.crio = {
      storage_driver = cfg.storageDriver;
      image = lib.mkMerge [
        (lib.mkIf (cfg.pauseImage != null) { pause_image = cfg.pauseImage; })
        (lib.mkIf (cfg.pauseCommand != null) { pause_command = cfg.pauseCommand; })
      ];
      network = {
        plugin_dirs = [ "${pkgs.cni-plugins}/bin" ];
        network_dir = lib.mkIf (cfg.networkDir != null) cfg.networkDir;
      };
      runtime = {
        cgroup_manager = "systemd";
        log_level = cfg.logLevel;
        pinns_path = "${cfg.package}/bin/pinns";
        default_runtime = lib.mkIf (cfg.runtime != null) cfg.runtime;
      };
    };
    systemd.services.crio = {
      description = "Container Runtime Interface for OCI (CRI-O)";
      wantedBy = [ "multi-user.target" ];
      after = [ "network.target" ];
      path = [ cfg.package ];
      serviceConfig = {
        Type = "notify";
        ExecStart = "${cfg.package}/bin/crio";
        ExecReload = "${pkgs.coreutils}/bin/kill -s HUP $MAINPID";
        TasksMax = "infinity";
        LimitNOFILE = 1048576;
        OOMScoreAdjust = -999;
        TimeoutStartSec = "0";
        Restart = "on-abnormal";
      };
    };
  };
}

# A WireGuard mesh. Who the peers are is no part of the system: firn-mesh.service reads it from a file, applies the
# difference, and is reloaded when the file changes. It owns device, addresses, MTU and routes.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) types mkOption;
  cfg = config.firn.mesh;
  # Keys are replaced by a second device beside the first; which epochs of keys have which is in the file of peers.
  devices = [
    cfg.interface
    "${cfg.interface}-b"
  ];
  userspace = cfg.implementation == "userspace";
  parts = [
    "common"
    "plan"
    "keys"
    "devices"
    "endpoints"
    "peers"
    "routes"
    "mtu"
    "main"
  ];
  script = pkgs.writeShellScript "firn-mesh" (
    lib.concatMapStrings (name: builtins.readFile (./mesh + "/${name}.sh")) parts
  );
  path = with pkgs; [
    gawk
    getent
    iproute2
    iputils
    jq
    util-linux
    wireguard-tools
  ];
  environment = {
    FIRN_MESH_DEVICES = toString devices;
    FIRN_MESH_IMPLEMENTATION = cfg.implementation;
    FIRN_MESH_PEERS = cfg.peersFile;
    FIRN_MESH_PRESHARED_KEYS = cfg.presharedKeysFile;
  };
in
{
  options.firn.mesh = {
    enable = lib.mkEnableOption "this host's part of a WireGuard mesh";
    interface = mkOption {
      type = types.strMatching "[a-z][a-z0-9_.-]{0,12}";
      default = "wgkube";
      description = ''
        Name of the device. While keys are replaced there is a second one, named the same with `-b` behind it.
      '';
    };
    listenPort = mkOption {
      type = types.ints.between 1 65534;
      default = 51820;
      description = "UDP port of the device; the second one has the next port. Both are opened for everyone.";
    };
    implementation = mkOption {
      type = types.enum [
        "kernel"
        "userspace"
      ];
      default = "kernel";
      description = ''
        Who encrypts: the kernel, or `wireguard-go`, for kernels without WireGuard. A change takes effect at the next boot.
      '';
    };
    peersFile = mkOption {
      type = types.path;
      default = "/run/firn/current/data/peers.json";
      apply = toString;
      description = "The file with this host's addresses, its devices and their peers. `firn-mesh.service` is to be reloaded when it changes.";
    };
    presharedKeysFile = mkOption {
      type = types.path;
      default = "/etc/firn/mesh-preshared-keys";
      apply = toString;
      description = "The file with a line `PUBLIC-KEY PRESHARED-KEY` for each peer that has one.";
    };
  };

  config = lib.mkIf cfg.enable {
    boot.kernelModules = lib.mkIf (!userspace) [ "wireguard" ];
    # Whoever asks how the mesh is does it with wg(8): people, and the program that tells the operator.
    environment.systemPackages = [ pkgs.wireguard-tools ];
    # While routes move from one device to the other, packets come by one and answers leave by the other.
    boot.kernel.sysctl."net.ipv4.conf.all.rp_filter" = lib.mkOverride 900 2;
    # Whoever relays would tell the two that there is a shorter way. On the devices the unit switches it off, too.
    boot.kernel.sysctl."net.ipv4.conf.all.send_redirects" = lib.mkOverride 900 false;
    networking.firewall.checkReversePath = lib.mkDefault "loose";
    networking.firewall.allowedUDPPorts = [
      cfg.listenPort
      (cfg.listenPort + 1)
    ];
    networking.dhcpcd.denyInterfaces = devices;
    # Between boots of networkd the devices stay as they are.
    systemd.network.networks."10-firn-mesh" = {
      matchConfig.Name = toString devices;
      linkConfig.Unmanaged = true;
    };
    environment.etc."firn/data-units".text = "peers.json reload firn-mesh.service";

    systemd.services.firn-mesh = {
      description = "WireGuard mesh";
      documentation = [ "man:wg(8)" ];
      wantedBy = [ "multi-user.target" ];
      before = [ "network.target" ];
      after = [
        "firn-firewall.service"
        "firn-secrets.service"
        "network-pre.target"
        "systemd-modules-load.service"
        "systemd-networkd.service"
      ];
      inherit path environment;
      # Tunnels live on through a switch; what changed is applied.
      reloadIfChanged = true;
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
        ExecStart = "${script} apply";
        ExecReload = "${script} apply";
        ExecStop = "${script} down";
        TimeoutStartSec = "75s";
        TimeoutStopSec = "30s";
      };
    };
    # What comes back by itself: names that did not resolve, a port that was taken, a device that somebody removed. And
    # what takes its time: how large packets may be on the way to each peer.
    systemd.services.firn-mesh-watch = {
      description = "Look after the WireGuard mesh";
      after = [ "firn-mesh.service" ];
      requisite = [ "firn-mesh.service" ];
      inherit path environment;
      restartIfChanged = false;
      # Each change asks for it.
      startLimitIntervalSec = 0;
      # Not a oneshot, since nobody is to wait for it.
      serviceConfig.ExecStart = "${script} watch";
    };
    systemd.timers.firn-mesh-watch = {
      description = "Look after the WireGuard mesh";
      wantedBy = [ "timers.target" ];
      timerConfig = {
        OnActiveSec = 30;
        OnUnitInactiveSec = 30;
        AccuracySec = "5s";
      };
    };
    systemd.services."firn-wireguard@" = lib.mkIf userspace {
      description = "WireGuard device %i";
      # A new process is a new device, without peers.
      restartIfChanged = false;
      stopIfChanged = false;
      startLimitIntervalSec = 0;
      unitConfig.X-StopOnRemoval = false;
      serviceConfig = {
        ExecStart = "${pkgs.wireguard-go}/bin/wireguard-go -f %i";
        ExecStartPost = "-${config.systemd.package}/bin/systemctl --no-block start firn-mesh-watch.service";
        Restart = "on-failure";
        RestartSec = 1;
      };
    };

    assertions = [
      {
        assertion = config.networking.firewall.checkReversePath != true && config.networking.firewall.checkReversePath != "strict";
        message = "networking.firewall.checkReversePath is strict, which drops packets of firn.mesh while its keys are replaced. Make it \"loose\" or remove that definition.";
      }
    ];
  };
}

# HAProxy on the loopback, in front of all API servers: every component on every host asks there, so no API server is
# special. Which there are is no part of the system: the unit is reloaded when the file changes.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) types mkOption;
  kubernetes = config.firn.kubernetes;
  cfg = kubernetes.loadBalancer;
  component = import ./component.nix { inherit config lib pkgs; };
  script = pkgs.writeShellScript "firn-api-balancer" (builtins.readFile ./loadbalancer.sh);
  address = if lib.hasInfix ":" host then "[${host}]" else host;
  host = builtins.head kubernetes.primaryAddresses;
in
{
  options.firn.kubernetes.loadBalancer = {
    package = lib.mkPackageOption pkgs "haproxy" { };
    port = mkOption {
      type = types.port;
      default = 7443;
      description = "The port on 127.0.0.1 and ::1 at which whoever is on this host finds the API.";
    };
    serversFile = mkOption {
      type = types.path;
      default = "/run/firn/current/data/api-servers";
      apply = toString;
      description = ''
        The file with a line `ADDRESS:PORT` for each API server, IPv6 in brackets. `firn-api-balancer.service` is to be
        reloaded when it changes. Without it a control-plane host knows its own alone.
      '';
    };
  };

  config = lib.mkIf kubernetes.enable {
    environment.etc."firn/data-units".text = "api-servers reload firn-api-balancer.service";
    systemd.services.firn-api-balancer = component.service {
      description = "Balancer in front of the API servers";
      documentation = [ "https://docs.haproxy.org" ];
      path = [ pkgs.gawk ];
      environment = {
        FIRN_HAPROXY = "${cfg.package}/bin/haproxy";
        FIRN_API_SERVERS = cfg.serversFile;
        FIRN_OWN_API_SERVER = lib.optionalString kubernetes.isControlPlane "${address}:${toString kubernetes.apiServer.port}";
        FIRN_PORT = toString cfg.port;
        FIRN_IPV6 = lib.boolToString config.networking.enableIPv6;
        FIRN_AUTHORITY = "${kubernetes.pki}/ca.crt";
      };
      serviceConfig = component.confined // {
        Type = "notify";
        ExecStartPre = "${script} render";
        ExecStart = "${cfg.package}/bin/haproxy -Ws -f /run/firn-api-balancer/haproxy.cfg";
        ExecReload = [
          "${script} render"
          # The master starts new workers and lets the old ones end: management guide, "Stopping and restarting HAProxy".
          "${pkgs.coreutils}/bin/kill -USR2 $MAINPID"
        ];
        KillMode = "mixed";
        SuccessExitStatus = 143;
        DynamicUser = true;
        RuntimeDirectory = "firn-api-balancer";
        RuntimeDirectoryMode = "0700";
        LimitNOFILE = 16384;
        OOMScoreAdjust = -800;
        TimeoutStartSec = "20s";
      };
    };
  };
}

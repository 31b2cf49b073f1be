# Frontends: one HAProxy that takes traffic from outside and balances it over pods, which it finds and follows through this
# host's own CoreDNS. Which frontends there are is no part of the system: HAProxy and the firewall read them from a file.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) types mkOption;
  kubernetes = config.firn.kubernetes;
  cfg = kubernetes.frontends;
  component = import ./component.nix { inherit config lib pkgs; };
  script = pkgs.writeShellScript "firn-frontends" (builtins.readFile ./frontends.sh);
  runtime = "/run/firn-frontends";
in
{
  options.firn.kubernetes.frontends = {
    package = lib.mkPackageOption pkgs "haproxy" { };
    file = mkOption {
      type = types.path;
      default = "/run/firn/current/data/frontends";
      apply = toString;
      description = ''
        The file that says which frontends there are: "Frontends" in the guide to these modules describes its lines.
        `firn-frontends.service` and `firn-firewall.service` are to be reloaded when it changes.
      '';
    };
    maxConnections = mkOption {
      type = types.ints.between 100 1000000;
      default = 50000;
      description = "How many connections of clients there are at most, of all frontends together.";
    };
  };

  config = lib.mkIf (kubernetes.enable && builtins.elem "frontend" kubernetes.roles) {
    environment.etc."firn/data-units".text = ''
      frontends reload firn-firewall.service
      frontends reload firn-frontends.service
    '';
    firn.firewall.listenersFile = cfg.file;
    # Whoever looks at this host asks HAProxy's socket by it.
    environment.systemPackages = [ pkgs.socat ];
    systemd.services.firn-frontends = component.service {
      description = "Frontends";
      documentation = [ "https://docs.haproxy.org" ];
      after = [ "firn-dns.service" ];
      path = with pkgs; [
        gawk
        iproute2
        socat
      ];
      environment = {
        FIRN_HAPROXY = "${cfg.package}/bin/haproxy";
        FIRN_FRONTENDS = cfg.file;
        FIRN_DOMAIN = kubernetes.domain;
        FIRN_RESOLVERS = toString config.firn.dns.addresses;
        FIRN_IPV6 = lib.boolToString config.networking.enableIPv6;
        FIRN_MAX_CONNECTIONS = toString cfg.maxConnections;
      };
      serviceConfig = component.confined // {
        Type = "notify";
        ExecStartPre = "${script} render";
        ExecStart = "${cfg.package}/bin/haproxy -Ws -S ${runtime}/master.sock,mode,600 -f ${runtime}/haproxy.cfg";
        ExecReload = "${script} reload";
        KillMode = "mixed";
        SuccessExitStatus = 143;
        DynamicUser = true;
        AmbientCapabilities = "CAP_NET_BIND_SERVICE";
        CapabilityBoundingSet = "CAP_NET_BIND_SERVICE";
        RuntimeDirectory = "firn-frontends";
        RuntimeDirectoryMode = "0700";
        # A client and a server for each connection, and the workers before a reload.
        LimitNOFILE = cfg.maxConnections * 4;
        OOMScoreAdjust = -500;
        TimeoutStartSec = "20s";
      };
    };
  };
}

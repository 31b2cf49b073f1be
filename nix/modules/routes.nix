# Routes to other nodes' pods over a link that the nodes share (`firn.network.routing` = "Direct"): which there are is in a
# file, firn-routes.service applies the difference and is reloaded when the file changes.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) types mkOption;
  inherit (config.firn) network;
  cfg = config.firn.routes;
  script = pkgs.writeShellScript "firn-routes" (builtins.readFile ./routes/apply.sh);
  service = {
    path = with pkgs; [
      iproute2
      util-linux
    ];
    environment = {
      FIRN_ROUTES = cfg.file;
      FIRN_ADDRESSES = lib.concatMapStringsSep " " (
        address: builtins.head (lib.splitString "/" address)
      ) network.nodeAddresses;
    };
  };
in
{
  options.firn.routes.file = mkOption {
    type = types.path;
    default = "/run/firn/current/data/routes";
    apply = toString;
    description = "The file with a line `NETWORK via ADDRESS` for each other node. `firn-routes.service` is to be reloaded when it changes.";
  };

  config = lib.mkIf (network.enable && network.routing == "Direct") {
    environment.etc."firn/data-units".text = "routes reload firn-routes.service";
    systemd.services.firn-routes = service // {
      description = "Routes to pods of other nodes";
      wantedBy = [ "multi-user.target" ];
      after = [
        "firn-secrets.service"
        "network.target"
        "systemd-networkd.service"
      ];
      reloadIfChanged = true;
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
        ExecStart = "${script} apply";
        ExecReload = "${script} apply";
        ExecStop = "${script} remove";
        TimeoutStartSec = "30s";
      };
    };
    # The kernel takes routes away with the link that they lead through; nobody says when it is back.
    systemd.services.firn-routes-watch = service // {
      description = "Look after routes to pods of other nodes";
      after = [ "firn-routes.service" ];
      requisite = [ "firn-routes.service" ];
      restartIfChanged = false;
      startLimitIntervalSec = 0;
      serviceConfig.ExecStart = "${script} apply";
    };
    systemd.timers.firn-routes-watch = {
      description = "Look after routes to pods of other nodes";
      wantedBy = [ "timers.target" ];
      timerConfig = {
        OnActiveSec = 20;
        OnUnitInactiveSec = 20;
        AccuracySec = "2s";
      };
    };
  };
}

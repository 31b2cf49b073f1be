# kine with SQLite in place of etcd, for clusters with one control-plane host: one file instead of a log that is written twice.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  kubernetes = config.firn.kubernetes;
  cfg = kubernetes.kine;
  component = import ./component.nix { inherit config lib pkgs; };
  owned = {
    # Readers do not wait for who writes, and the other way round: sqlite.org/wal.html.
    endpoint = "sqlite:///var/lib/kine/state.db?_journal=WAL&cache=shared&_busy_timeout=30000&_txlock=immediate";
    listen-address = "unix:///run/kine/kine.sock";
    metrics-bind-address = "127.0.0.1:2381";
  };
in
{
  options.firn.kubernetes.kine = {
    package = lib.mkPackageOption pkgs "kine" { };
    extraArgs = component.extraArgs "kine";
  };

  config = lib.mkIf (kubernetes.isControlPlane && kubernetes.datastore == "SQLite") {
    users.users.kine = {
      isSystemUser = true;
      group = "kine";
    };
    users.groups.kine = { };
    systemd.services.kine = component.service {
      description = "etcd's API on SQLite";
      documentation = [ "https://github.com/k3s-io/kine" ];
      after = [ "local-fs.target" ];
      serviceConfig = component.confined // {
        ExecStart = component.commandLine "${cfg.package}/bin/kine" (
          component.withExtra {
            inherit owned;
            extra = cfg.extraArgs;
            defaults = { };
          }
        );
        User = "kine";
        Group = "kine";
        # kine makes its socket for its own user; the API server is of the group.
        ExecStartPost = component.awaiting "socket:/run/kine/kine.sock" "${pkgs.coreutils}/bin/chmod 0770 /run/kine/kine.sock";
        StateDirectory = "kine";
        StateDirectoryMode = "0700";
        RuntimeDirectory = "kine";
        RuntimeDirectoryMode = "0750";
        WorkingDirectory = "/var/lib/kine";
        OOMScoreAdjust = -900;
      };
    };
    assertions = [
      (component.refusal "firn.kubernetes.kine.extraArgs" (builtins.attrNames owned) cfg.extraArgs)
    ];
  };
}

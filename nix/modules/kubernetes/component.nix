# What the modules of single components share: command lines, kubeconfigs, refusals, and how far a unit is shut in.
{
  config,
  lib,
  pkgs,
}:
let
  cfg = config.firn.kubernetes;
  # systemd.service(5), "Command lines": quotes as in C, `$` and `%` doubled.
  quoted = text: builtins.replaceStrings [ "$" "%" ] [ "$$" "%%" ] (builtins.toJSON text);
  print = value: if builtins.isBool value then lib.boolToString value else toString value;
in
rec {
  # A program and its flags, sorted by name. A list is one flag for each of its elements; null is none.
  commandLine =
    program: flags:
    lib.concatStringsSep " " (
      [ program ]
      ++ lib.concatLists (
        lib.mapAttrsToList (
          name: value: map (one: quoted "--${name}=${print one}") (lib.filter (one: one != null) (lib.toList value))
        ) flags
      )
    );

  # The same, as soon as what it cannot start without is there: await.sh.
  awaiting = what: line: "${pkgs.writeShellScript "firn-await" (builtins.readFile ./await.sh)} ${what} ${line}";

  # What users add to what the module has; the module's own has the last word, and `refusal` says so.
  withExtra = { defaults, extra, owned }: defaults // extra // owned;

  extraArgs =
    program:
    lib.mkOption {
      type =
        with lib.types;
        attrsOf (oneOf [
          str
          (listOf str)
        ]);
      default = { };
      example = { v = "4"; };
      description = ''
        Further flags of ${program}, by their names without dashes; a list repeats a flag. Those that follow from other
        options are refused.
      '';
    };

  # Flags that are the module's are not the user's, under whichever name they would undo what it does.
  refusal =
    option: owned: extra:
    let
      taken = lib.intersectLists owned (builtins.attrNames extra);
    in
    {
      assertion = taken == [ ];
      message = "${option} has ${lib.concatStringsSep ", " taken}, which other options of firn.kubernetes decide. Remove it.";
    };

  # The same for fields of a configuration file, which are paths into it.
  refusalOfFields =
    option: owned: settings:
    let
      taken = lib.filter (path: lib.hasAttrByPath path settings) owned;
    in
    {
      assertion = taken == [ ];
      message = "${option} has ${
        lib.concatMapStringsSep ", " (lib.concatStringsSep ".") taken
      }, which other options of firn.kubernetes decide. Remove it.";
    };

  # A kubeconfig(v1) as text. It names files, so that nothing in it is a secret, and client-go reads renewed ones by itself.
  kubeconfig =
    { client, server }:
    builtins.toJSON {
      apiVersion = "v1";
      kind = "Config";
      clusters = [
        {
          name = "cluster";
          cluster = {
            inherit server;
            certificate-authority = "${cfg.pki}/ca.crt";
          };
        }
      ];
      users = [
        {
          name = client;
          user = {
            client-certificate = "${cfg.pki}/${client}.crt";
            client-key = "${cfg.pki}/${client}.key";
          };
        }
      ];
      contexts = [
        {
          name = "default";
          context = {
            cluster = "cluster";
            user = client;
          };
        }
      ];
      current-context = "default";
    };

  # For who must talk to this host's own API server, and for everybody else: the balancer in front of all.
  localServer = "https://127.0.0.1:${toString cfg.apiServer.port}";
  balancedServer = "https://127.0.0.1:${toString cfg.loadBalancer.port}";

  # A unit that starts at boot and is never given up: what it waits for (keys, a datastore, other hosts) may come late.
  service =
    { serviceConfig, after ? [ ], ... }@given:
    builtins.removeAttrs given [ "after" "serviceConfig" ]
    // {
      wantedBy = [ "multi-user.target" ];
      after = [
        "firn-secrets.service"
        "firn-mesh.service"
        "network.target"
        "systemd-networkd.service"
      ]
      ++ after;
      startLimitIntervalSec = 0;
      serviceConfig = {
        Type = "exec";
        Slice = "kubernetes.slice";
        Restart = "always";
        RestartSec = 2;
        UMask = "0077";
        # Not that of a script which becomes the program.
        SyslogIdentifier = "%N";
      }
      // serviceConfig;
    };

  # systemd.exec(5), for what listens and connects and writes to its own folders alone.
  confined = {
    CapabilityBoundingSet = "";
    LockPersonality = true;
    MemoryDenyWriteExecute = true;
    NoNewPrivileges = true;
    PrivateDevices = true;
    PrivateTmp = true;
    ProtectClock = true;
    ProtectControlGroups = true;
    ProtectHome = true;
    ProtectHostname = true;
    ProtectKernelLogs = true;
    ProtectKernelModules = true;
    ProtectKernelTunables = true;
    ProtectProc = "invisible";
    ProtectSystem = "strict";
    RestrictAddressFamilies = [
      "AF_UNIX"
      "AF_INET"
      "AF_INET6"
      # Go asks by it which interfaces there are.
      "AF_NETLINK"
    ];
    RestrictNamespaces = true;
    RestrictRealtime = true;
    RestrictSUIDSGID = true;
    SystemCallArchitectures = "native";
    SystemCallErrorNumber = "EPERM";
    SystemCallFilter = [ "@system-service" ];
  };
}

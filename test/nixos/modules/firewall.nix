# networking.firewall and networking.nftables. NixOS uses iptables by default; here the same rules go through nft in
# both cases, in a unit named as NixOS names it.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) types mkOption;
  cfg = config.networking.firewall;
  nft = config.networking.nftables;
  flag = default: description: mkOption {
    type = types.bool;
    inherit default description;
  };
  text = description: mkOption {
    type = types.lines;
    default = "";
    inherit description;
  };
  ports = description: mkOption {
    type = types.listOf types.port;
    default = [ ];
    apply = ps: builtins.sort builtins.lessThan (lib.unique ps);
    inherit description;
  };
  openings = {
    allowedTCPPorts = ports "TCP ports that are open.";
    allowedUDPPorts = ports "UDP ports that are open.";
  };
  set = values: "{ ${lib.concatMapStringsSep ", " toString values} }";
  accept =
    match: protocol: values:
    lib.optionalString (values != [ ]) "${match}${protocol} dport ${set values} accept\n";
  opened = match: c: accept match "tcp" c.allowedTCPPorts + accept match "udp" c.allowedUDPPorts;
  interfaceMatch = name: "iifname ${builtins.toJSON name} ";
  reversePath = ''
    chain rpfilter {
      type filter hook prerouting priority mangle + 10; policy drop;
      meta nfproto ipv4 udp sport . udp dport { 67 . 68, 68 . 67 } accept
      fib saddr . mark ${lib.optionalString (cfg.checkReversePath != "loose") ". iif "}oif exists accept
      jump rpfilter-allow
    }
    chain rpfilter-allow {
      ${lib.optionalString nft.enable cfg.extraReversePathFilterRules}
    }
  '';
  filter = lib.optionalString (cfg.checkReversePath != false) reversePath + ''
    chain input {
      type filter hook input priority filter; policy drop;
      iifname ${set (map builtins.toJSON ([ "lo" ] ++ cfg.trustedInterfaces))} accept
      ct state vmap { invalid : drop, established : accept, related : accept, new : jump input-allow, untracked : jump input-allow }
    }
    chain input-allow {
      ${opened "" cfg}${lib.concatStrings (lib.mapAttrsToList (name: opened (interfaceMatch name)) cfg.interfaces)}
      ${lib.optionalString cfg.allowPing "icmp type echo-request accept"}
      icmpv6 type != { nd-redirect, 139 } accept
      ip6 daddr fe80::/64 udp dport 546 accept
      ${lib.optionalString nft.enable cfg.extraInputRules}
    }
    ${lib.optionalString cfg.filterForward ''
      chain forward {
        type filter hook forward priority filter; policy drop;
        ct state vmap { invalid : drop, established : accept, related : accept, new : jump forward-allow, untracked : jump forward-allow }
      }
      chain forward-allow {
        icmpv6 type != { router-renumbering, 139 } accept
        ct status dnat accept
        ${cfg.extraForwardRules}
      }
    ''}
  '';
  tables = lib.filterAttrs (_: t: t.enable) nft.tables;
  # Declared, then deleted: the transaction works whether or not the table was there.
  clear = name: t: "table ${t.family} ${name}\ndelete table ${t.family} ${name}\n";
  script = pkgs.writeText "nftables-rules" (
    lib.optionalString nft.flushRuleset "flush ruleset\n"
    + lib.concatStrings (
      lib.mapAttrsToList (name: t: clear name t + "table ${t.family} ${name} {\n${t.content}\n}\n") tables
    )
    + nft.ruleset
  );
  deletion = pkgs.writeText "nftables-deletions" (
    lib.optionalString nft.flushRuleset "flush ruleset\n" + lib.concatStrings (lib.mapAttrsToList clear tables)
  );
  unitName = if nft.enable then "nftables" else "firewall";
in
{
  options.networking.firewall = openings // {
    enable = flag true "Whether to enable the firewall.";
    allowPing = flag true "Whether echo requests are answered.";
    trustedInterfaces = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Interfaces from which everything is accepted.";
    };
    interfaces = mkOption {
      type = types.attrsOf (types.submodule { options = openings; });
      default = { };
      description = "Ports open on one interface.";
    };
    checkReversePath = mkOption {
      type = types.either types.bool (
        types.enum [
          "strict"
          "loose"
        ]
      );
      default = true;
      description = "Whether packets are dropped to whose sender this host has no route, or none by the interface they came from.";
    };
    filterForward = flag false "Whether forwarded packets are filtered.";
    extraReversePathFilterRules = text "Further rules of rpfilter-allow; only with nftables.";
    extraInputRules = text "Further rules of input-allow; only with nftables.";
    extraForwardRules = text "Further rules of forward-allow; only with filterForward.";
  };
  options.networking.nftables = {
    enable = flag false "Whether the firewall uses nftables.";
    flushRuleset = flag false "Whether everything that is loaded is removed first.";
    ruleset = text "Rules beside the tables.";
    tables = mkOption {
      type = types.attrsOf (
        types.submodule (
          { name, ... }:
          {
            options = {
              enable = flag true "Whether the table is loaded.";
              name = mkOption {
                type = types.str;
                default = name;
                description = "Name of the table.";
              };
              content = mkOption {
                type = types.lines;
                description = "What is in it.";
              };
              family = mkOption {
                type = types.enum [
                  "ip"
                  "ip6"
                  "inet"
                  "arp"
                  "bridge"
                  "netdev"
                ];
                description = "Its family.";
              };
            };
          }
        )
      );
      default = { };
      description = "Tables, each loaded in one transaction.";
    };
  };
  config = {
    assertions = [
      {
        assertion = cfg.filterForward -> nft.enable;
        message = "filterForward only works with the nftables based firewall";
      }
    ];
    networking.nftables.tables.nixos-fw = lib.mkIf cfg.enable {
      family = "inet";
      content = filter;
    };
    systemd.services = lib.mkIf (nft.enable || cfg.enable) {
      ${unitName} = {
        description = "${unitName} firewall";
        before = [ "network-pre.target" "shutdown.target" ];
        conflicts = [ "shutdown.target" ];
        wants = [ "network-pre.target" ];
        wantedBy = [ "sysinit.target" "multi-user.target" ];
        reloadIfChanged = true;
        unitConfig.DefaultDependencies = false;
        serviceConfig = {
          Type = "oneshot";
          RemainAfterExit = true;
          ExecStart = "${pkgs.nftables}/bin/nft -f ${script}";
          ExecReload = "${pkgs.nftables}/bin/nft -f ${script}";
          ExecStop = "${pkgs.nftables}/bin/nft -f ${deletion}";
        };
      };
    };
  };
}

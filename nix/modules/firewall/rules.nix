# The rules of firewall.nix as nft(8) reads them. Nothing but addresses, ports and names that their options' types let
# through becomes part of them.
{
  lib,
  cfg,
  mesh,
  network,
}:
let
  inherit (network) podNetworks serviceNetworks;
  # Bits that neither kube-proxy (14, 15), nor CNI's portmap (13), nor common network plugins use: of another node, and to a
  # listener.
  marked = "meta mark & 0x40 == 0x40";
  listeners = cfg.listenersFile != null;
  lines = lib.concatMapStrings (line: "${line}\n");
  family = address: if lib.hasInfix ":" address then "ip6" else "ip";
  protocols = { ip = "ipv4"; ip6 = "ipv6"; };
  from = network: "${family network} saddr ${network}";
  to = network: "${family network} daddr ${network}";
  set = values: "{ ${lib.concatMapStringsSep ", " toString values} }";
  quoted = map builtins.toJSON;

  meshDevices =
    lib.optionals mesh.enable [
      mesh.interface
      "${mesh.interface}-b"
    ]
    ++ network.tunnels;
  bridges = lib.optional network.bridge "brkube";
  inMesh = "iifname ${set (quoted meshDevices)}";
  outOfMesh = "oifname ${set (quoted meshDevices)}";

  accept =
    match: ports:
    lib.concatMap (
      protocol:
      let
        open = lib.unique ports.${protocol};
      in
      lib.optional (open != [ ]) "${match} ${protocol} dport ${set open} accept"
    ) [ "tcp" "udp" ];
  samePairs = f: lib.concatMap (a: map (f a) (lib.filter (b: family a == family b) podNetworks)) podNetworks;

  # What comes from the bridge has an address of this node's subnet, and never the node's own.
  bridgeSpoofing =
    lib.concatMap (
      f:
      let
        own = lib.filter (address: family address == f) network.nodeAddresses;
        allowed = own ++ lib.optionals (f == "ip6") [ "fe80::/10" "::" ];
      in
      [
        (
          if allowed == [ ] then
            ''iifname "brkube" meta nfproto ${protocols.${f}} drop''
          else
            ''iifname "brkube" ${f} saddr != ${set allowed} drop''
        )
      ]
      ++ map (address: ''iifname "brkube" ${f} saddr ${builtins.head (lib.splitString "/" address)} drop'') (
        own ++ lib.optional (f == "ip6") "fe80::1"
      )
    ) [ "ip" "ip6" ];
  # With a mesh and our bridge pods' packets come from nowhere else. Other plugins have interfaces of their own names.
  meshSpoofing = map (
    pods: "iifname != ${set (quoted ([ "lo" ] ++ bridges ++ meshDevices))} ${from pods} drop"
  ) (lib.optionals onlyByMesh podNetworks);
  onlyByMesh = network.bridge && (network.routing == "Mesh" || network.tunnels != [ ]);
  nodesOf = pods: if family pods == "ip" then "@nodes4" else "@nodes6";

  # Where a packet with a pod's address is dropped outside of the mesh, one to another node's outer address needs the node's.
  translates = network.masquerade || onlyByMesh;
  translation =
    lib.optional (bridges ++ meshDevices != [ ]) "oifname ${set (quoted (bridges ++ meshDevices))} return"
    ++ map (network: "${to network} return") (podNetworks ++ serviceNetworks)
    ++ map (
      pods:
      "${from pods} ${lib.optionalString (!network.masquerade) "${family pods} daddr ${nodesOf pods} "}masquerade"
    ) podNetworks;

  # With translation a pod's packet reaches another node from this node's address: what is open to nodes alone is
  # closed to pods here.
  forNodesOnly = protocol: lib.subtractLists (cfg.fromPods.${protocol} ++ cfg.fromAnywhere.${protocol}) cfg.fromNodes.${protocol};
  guard = lib.concatMap (
    pods:
    lib.concatMap (
      protocol:
      let
        closed = lib.unique (forNodesOnly protocol);
      in
      lib.optional (closed != [ ])
        "${from pods} ${family pods} daddr ${nodesOf pods} ${protocol} dport ${set closed} drop"
    ) [ "tcp" "udp" ]
  ) (lib.optionals translates podNetworks);

  chain = name: hook: body: lib.optionalString (body != [ ]) ''
    chain ${name} {
    type ${hook}; policy accept;
    ${lines body}}
  '';
in
{
  input = lines (
    accept marked cfg.fromNodes
    ++ lib.concatMap (pods: accept (from pods) cfg.fromPods) podNetworks
    ++ accept marked cfg.fromPods
    ++ lib.optional listeners "meta mark & 0x80 == 0x80 accept"
  );

  forward = lines (
    map (pods: "${marked} ${to pods} accept") podNetworks
    ++ samePairs (a: b: "${from a} ${to b} accept")
    ++ (if network.bridge then [ ''iifname "brkube" accept'' ] else map (pods: "${from pods} accept") podNetworks)
    # Peers that are no nodes, and what this node relays between two that cannot reach each other.
    ++ lib.optionals (meshDevices != [ ]) (
      map (pods: "${inMesh} ${to pods} accept") podNetworks ++ [ "${inMesh} ${outOfMesh} accept" ]
    )
    ++ lib.concatMap (
      outside:
      map (pods: "${from outside} ${to pods} accept") (lib.filter (pods: family pods == family outside) podNetworks)
    ) network.allowInbound
  );

  chains =
    chain "spoofing" "filter hook prerouting priority raw" (
      lib.optionals network.bridge bridgeSpoofing ++ meshSpoofing
    )
    + chain "nodes" "filter hook prerouting priority mangle" (
      [ "meta mark set meta mark & 0xffffff3f" ]
      ++ lib.optionals listeners [
        "tcp dport @listeners meta mark set meta mark | 0x80"
        "ip daddr . tcp dport @listeners4 meta mark set meta mark | 0x80"
        "ip6 daddr . tcp dport @listeners6 meta mark set meta mark | 0x80"
      ]
      ++ lib.optional network.bridge ''iifname "brkube" return''
      ++ [
        "ip saddr @nodes4 meta mark set meta mark | 0x40"
        "ip6 saddr @nodes6 meta mark set meta mark | 0x40"
      ]
    )
    + chain "segments" "filter hook forward priority mangle" (
      lib.optional (meshDevices != [ ]) "${outOfMesh} tcp flags syn / syn,rst tcp option maxseg size set rt mtu"
    )
    + chain "guard" "filter hook forward priority filter - 5" guard
    + chain "translation" "nat hook postrouting priority srcnat" (lib.optionals translates translation);
}

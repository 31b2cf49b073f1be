import { sharedFilesOf } from '../../controllers/clusterpki/shared-files.ts';
import {
  configOf,
  flagsOf,
  type KubernetesHost,
  kubernetesHost,
  lookAt as look,
} from '../support/kubernetes-host.ts';
import { newMaterial } from '../support/pki.ts';
import { subject } from '../support/pki-subject.ts';
import { refusalOf } from '../support/stand-in.ts';

const ours =
  /^(etcd|kine|kube-.*|kubelet|containerd|crio|firn-api-balancer|firn-dns|firn-frontends|flannel)$/;

type Seen = { units: string[]; warnings: string[]; open: Record<'nodes' | 'pods' | 'anywhere', number[]> };

const seen = async (host: KubernetesHost): Promise<Seen> => {
  const all = (await look(
    host,
    `let inherit (config.firn.firewall) fromNodes fromPods fromAnywhere; in {
      units = builtins.attrNames config.systemd.services;
      inherit warnings;
      open = lib.mapAttrs (_: ports: builtins.sort builtins.lessThan ports.tcp)
        { nodes = fromNodes; pods = fromPods; anywhere = fromAnywhere; };
    }`,
  )) as Seen;
  return { ...all, units: all.units.filter((name) => ours.test(name)) };
};

const everywhere = ['firn-api-balancer', 'firn-dns'];
const node = ['kube-proxy', 'kubelet'];
const controlPlane = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'];

describe('units and open ports follow from roles', () => {
  const kinds = (['Etcd', 'SQLite'] as const).flatMap((datastore) =>
    (['Containerd', 'CRIO'] as const).map((runtime) => ({ datastore, runtime })),
  );
  test.each(kinds)('control plane with $datastore and $runtime', async (kind) => {
    const { units, warnings, open } = await seen({ ...kind, roles: '"control-plane"' });
    const store = kind.datastore === 'Etcd' ? 'etcd' : 'kine';
    const runtime = kind.runtime === 'CRIO' ? 'crio' : 'containerd';
    expect(units).toEqual([...everywhere, ...node, ...controlPlane, store, runtime].sort());
    expect(warnings).toEqual([]);
    expect(open).toEqual({ nodes: [53, 6443, 10250], pods: [53, 6443, 10250], anywhere: [] });
  });

  test.each(kinds.filter(({ datastore }) => datastore === 'Etcd'))('worker with $runtime', async (kind) => {
    const { units, warnings, open } = await seen({ ...kind, roles: '"worker"' });
    const runtime = kind.runtime === 'CRIO' ? 'crio' : 'containerd';
    expect(units).toEqual([...everywhere, ...node, runtime].sort());
    expect(warnings).toEqual([]);
    expect(open).toEqual({ nodes: [53, 10250], pods: [53, 10250], anywhere: [] });
  });

  test('a frontend finds the API and names, balances, and runs no pods', async () => {
    const { units, warnings, open } = await seen({ roles: '"frontend"' });
    expect(units).toEqual([...everywhere, 'firn-frontends']);
    expect(warnings).toEqual([]);
    // What it listens on is said by a file, and is opened by that.
    expect(open).toEqual({ nodes: [53], pods: [53], anywhere: [] });
  });

  test('nothing runs before it is enabled, whatever the roles', async () => {
    const { units } = await seen({ more: 'firn.kubernetes.enable = lib.mkForce false;' });
    expect(units).toEqual(['firn-dns']);
  });

  test('members of etcd reach each other; everyone reaches the API where that is asked for', async () => {
    const more = 'firn.kubernetes = { etcd.transport = "TLS"; apiServer.openFirewall = true; };';
    const { open } = await seen({ more });
    expect(open.nodes).toEqual([53, 2380, 6443, 10250]);
    expect(open.anywhere).toEqual([6443]);
  });
});

test('who runs on a control plane asks its own API server, everybody else the balancer', async () => {
  const serverOf = async (name: string) => (await configOf(`${name}.kubeconfig`)).clusters[0].cluster.server;
  expect(await serverOf('controller-manager')).toBe('https://127.0.0.1:6443');
  expect(await serverOf('scheduler')).toBe('https://127.0.0.1:6443');
  expect(await serverOf('kubelet')).toBe('https://127.0.0.1:7443');
  expect(await serverOf('kube-proxy')).toBe('https://127.0.0.1:7443');
  expect(await serverOf('coredns')).toBe('https://127.0.0.1:7443');
});

test('a kubelet waits for the API, unless it has pods that need none', async () => {
  const line = (more: string) => look({ more }, 'config.systemd.services.kubelet.serviceConfig.ExecStart');
  const waits = /firn-await api:\/etc\/kubernetes\/kubelet[.]kubeconfig \/nix\/store\/[^ ]*\/kubelet /;
  expect(await line('')).toMatch(waits);
  const own = 'firn.kubernetes.kubelet.settings.staticPodPath = "/etc/pods";';
  expect(await line(own)).not.toContain('firn-await');
});

test('the family of services is that of the node', async () => {
  expect((await flagsOf('kube-apiserver'))['advertise-address']).toBe('10.88.1.1');
  expect((await flagsOf('kubelet'))['node-ip']).toBe('10.88.1.1,fd88:1::1');
  const more = 'firn.kubernetes.serviceNetworks = [ "fd88::/112" "10.88.0.0/24" ];';
  expect((await flagsOf('kube-apiserver', { more }))['advertise-address']).toBe('fd88:1::1');
  expect((await flagsOf('kubelet', { more }))['node-ip']).toBe('fd88:1::1,10.88.1.1');
  expect((await configOf('kubelet.json', { more })).clusterDNS).toEqual(['fd88:1::1', '10.88.1.1']);
});

test('who the members of etcd are is no part of the system', async () => {
  const flags = await flagsOf('etcd', { more: 'firn.kubernetes.etcd.transport = "TLS";' });
  expect(Object.keys(flags).filter((name) => name.startsWith('initial-cluster'))).toEqual([]);
  expect(flags['listen-client-urls']).toBe('https://127.0.0.1:2379,https://10.88.1.1:2379');
});

test('pods get addresses of this node’s subnets, and leave by the node', async () => {
  const text = (await look({}, 'config.environment.etc."cni/net.d/10-firn.conflist".text')) as string;
  expect(JSON.parse(text).plugins[0]).toMatchObject({
    bridge: 'brkube',
    hairpinMode: true,
    ipam: {
      ranges: [
        [{ subnet: 'fd88:1::/32', gateway: 'fd88:1::1' }],
        [{ subnet: '10.88.1.0/24', gateway: '10.88.1.1' }],
      ],
      routes: [
        { dst: '::/0', gw: 'fd88:1::1' },
        { dst: '0.0.0.0/0', gw: '10.88.1.1' },
      ],
    },
  });
});

test('kube-proxy knows local pods by the bridge, or by their networks', async () => {
  expect(await configOf('kube-proxy.json')).toMatchObject({
    mode: 'nftables',
    detectLocalMode: 'BridgeInterface',
    detectLocal: { bridgeInterface: 'brkube' },
    nodePortAddresses: ['primary'],
  });
  const none = await configOf('kube-proxy.json', { more: 'firn.network.bridge = false;' });
  expect(none).toMatchObject({ detectLocalMode: 'ClusterCIDR', clusterCIDR: 'fd88::/16,10.88.0.0/16' });
});

test('node ports are everyone’s only where that is asked for', async () => {
  const rules = 'config.networking.firewall.extraForwardRules';
  const dnat = 'ct status dnat ct original proto-dst 30000-32767 accept';
  expect(await look({}, rules)).not.toContain(dnat);
  expect(await look({ more: 'firn.kubernetes.kubeProxy.openNodePorts = true;' }, rules)).toContain(dnat);
});

test('a network of the runtime’s own is not there', async () => {
  const files = `builtins.filter (lib.hasPrefix "cni/") (map (e: e.target)
    (builtins.filter (e: e.enable) (builtins.attrValues config.environment.etc)))`;
  expect(await look({ runtime: 'CRIO' }, files)).toEqual(['cni/net.d/10-firn.conflist']);
});

test('services’ names are answered after nodes’ names, and a frontend answers nothing else', async () => {
  const plugins = 'config.firn.dns.plugins';
  expect(await look({}, plugins)).toContain('kubernetes k8s.internal in-addr.arpa ip6.arpa {');
  expect(await look({}, 'config.firn.dns.forwardTo')).toEqual(['127.0.0.53']);
  expect(await look({ roles: '"frontend"' }, 'config.firn.dns.forwardTo')).toEqual([]);
});

test('an API server that is stopped does not wait for watches, only for requests that end', async () => {
  expect((await flagsOf('kube-apiserver'))['shutdown-send-retry-after']).toBe('true');
  const more = 'firn.kubernetes.apiServer.extraArgs.shutdown-send-retry-after = "false";';
  expect((await flagsOf('kube-apiserver', { more }))['shutdown-send-retry-after']).toBe('false');
});

test('what users add reaches the component; a dollar sign is no variable of systemd’s', async () => {
  const more = `firn.kubernetes = {
    apiServer.extraArgs = { audit-log-maxage = "7"; v = "4"; };
    kubelet.settings = { failSwapOn = false; memorySwap.swapBehavior = "LimitedSwap"; };
    kubelet.labels.disk = "ssd";
    kubelet.taints = [ { key = "dedicated"; value = "db"; effect = "NoSchedule"; } ];
    scheduler.extraArgs.feature-gates = "A$B=100%";
  };`;
  expect(await flagsOf('kube-apiserver', { more })).toMatchObject({ 'audit-log-maxage': '7', v: '4' });
  expect(await configOf('kubelet.json', { more })).toMatchObject({
    failSwapOn: false,
    memorySwap: { swapBehavior: 'LimitedSwap' },
    registerWithTaints: [{ key: 'dedicated', value: 'db', effect: 'NoSchedule' }],
  });
  expect((await flagsOf('kubelet', { more }))['node-labels']).toBe('disk=ssd');
  expect((await flagsOf('kube-scheduler', { more }))['feature-gates']).toBe('A$$B=100%%');
});

test('units that delivered files restart and reload are there by those names', async () => {
  const files = sharedFilesOf(subject, await newMaterial('ECDSA-P256'));
  const named = new Set(files.flatMap(({ restartUnits, reloadUnits }) => [...restartUnits, ...reloadUnits]));
  const names = (await look(
    { more: 'firn.kubernetes.etcd.transport = "TLS";' },
    `lib.concatLists (lib.mapAttrsToList (name: service: [ (name + ".service") ] ++ service.aliases) config.systemd.services)`,
  )) as string[];
  expect([...named].filter((unit) => !names.includes(unit))).toEqual([]);
});

test('a frontend is told of changes, and so is the firewall; it may bind low ports and nothing else', async () => {
  const host = { roles: '"frontend"' };
  const units = (await look(host, 'config.environment.etc."firn/data-units".text')) as string;
  expect(units.split('\n').filter((line) => line.startsWith('frontends '))).toEqual([
    'frontends reload firn-firewall.service',
    'frontends reload firn-frontends.service',
  ]);
  const service = 'config.systemd.services.firn-frontends';
  expect(
    await look(host, `{ inherit (${service}.serviceConfig) CapabilityBoundingSet Slice DynamicUser; }`),
  ).toEqual({
    CapabilityBoundingSet: 'CAP_NET_BIND_SERVICE',
    Slice: 'kubernetes.slice',
    DynamicUser: true,
  });
  expect(await look(host, `${service}.environment.FIRN_RESOLVERS`)).toBe('fd88:1::1 10.88.1.1');
  const rules = 'config.networking.firewall.extraInputRules';
  expect(await look(host, rules)).toContain('meta mark & 0x80 == 0x80 accept');
  expect(await look({}, rules)).not.toContain('0x80');
});

describe('with Flannel', () => {
  const more = `firn.kubernetes.cni = "Flannel"; firn.kubernetes.nodeAddresses = lib.mkDefault [ "192.0.2.1" "2001:db8::1" ];`;

  test('pods are plugged into the bridge, and flanneld carries what is for others', async () => {
    const { units, warnings } = await seen({ roles: '"worker"', more });
    expect(units).toEqual([...everywhere, ...node, 'containerd', 'flannel'].sort());
    expect(warnings).toEqual([]);
    expect(await configOf('flannel.json', { more })).toEqual({
      Network: '10.88.0.0/16',
      IPv6Network: 'fd88::/16',
      EnableIPv4: true,
      EnableIPv6: true,
      EnableNFTables: true,
      Backend: { Type: 'vxlan', VNI: 1, Port: 8472 },
    });
    expect(await configOf('kube-proxy.json', { more })).toMatchObject({ detectLocalMode: 'BridgeInterface' });
    const moved = `${more} firn.kubernetes.packages.kubelet = pkgs.kubernetes // { outPath = "/older"; };`;
    const waits = 'config.systemd.services.flannel.environment.FIRN_KUBECTL';
    expect(await look({ more: moved }, waits)).toBe('/older/bin/kubectl');
    expect(await look({ more }, 'config.environment.etc."cni/net.d/10-firn.conflist".enable')).toBe(true);
  });

  test('nodes alone reach its port, and what it carries passes', async () => {
    expect(await look({ more }, 'config.firn.firewall.fromNodes.udp')).toContain(8472);
    const rules = await look({ more }, 'config.networking.firewall.extraForwardRules');
    expect(rules).toContain('iifname { "flannel.1", "flannel-v6.1" } ip daddr 10.88.0.0/16 accept');
  });

  test.each([
    [
      'routes of others',
      'firn.network.routing = lib.mkForce "Direct";',
      'which makes the routes between nodes',
    ],
    [
      'addresses that need it',
      'firn.kubernetes.nodeAddresses = lib.mkForce [ "fd88:1::1" "10.88.1.1" ];',
      'which other nodes reach once Flannel runs',
    ],
    [
      'a flag of Firn’s',
      'firn.kubernetes.flannel.extraArgs.ip-masq = "true";',
      'flannel.extraArgs has ip-masq',
    ],
  ])('%s are refused', async (_, also, message) => {
    expect(await refusalOf(kubernetesHost({ more: `${more} imports = [ { ${also} } ];` }))).toContain(
      message,
    );
  });
});

describe('refused, with what to do', () => {
  test.each([
    [
      'a flag of Firn’s',
      'apiServer.extraArgs.authorization-mode = "AlwaysAllow";',
      'apiServer.extraArgs has authorization-mode',
    ],
    [
      'one that undoes another',
      'apiServer.extraArgs.anonymous-auth = "true";',
      'apiServer.extraArgs has anonymous-auth',
    ],
    [
      'a field of the kubelet',
      'kubelet.settings.authentication.anonymous.enabled = true;',
      'kubelet.settings has authentication',
    ],
    ['another mode', 'kubeProxy.settings.mode = "iptables";', 'kubeProxy.settings has mode'],
    [
      'names for everybody',
      'apiServer.authenticationConfiguration.anonymous.enabled = true;',
      'has anonymous',
    ],
    [
      'a role as a label',
      'kubelet.labels."node-role.kubernetes.io/worker" = "";',
      'a label of node-role.kubernetes.io',
    ],
    ['no roles', 'roles = lib.mkForce [ ];', 'firn.kubernetes.roles is empty'],
    ['a subnet too few', 'podSubnets = lib.mkForce [ "10.88.1.0/24" ];', 'podSubnets must have one subnet'],
    [
      'services of a family that the node lacks',
      'nodeAddresses = [ "fd88:1::1" ];',
      'no address of the family of the first',
    ],
    ['another minor', 'version = "1.35";', 'is 1.36.3, but firn.kubernetes.version is 1.35'],
    ['two minors at once', 'runningVersion = "1.34.2";', 'Go to 1.35 first.'],
    ['a step back', 'runningVersion = "1.37.1";', 'Kubernetes does not go back'],
    [
      'another minor of one component',
      'version = "1.36"; versions.scheduler = "1.35";',
      'kube-scheduler is 1.36.3, but firn.kubernetes.version is 1.35',
    ],
    [
      'a kubelet that is newer than the API server',
      'packages.kubelet = pkgs.kubernetes // { version = "1.37.1"; };',
      'kube-apiserver is 1.36.3, beside which kubelet 1.37.1 cannot be',
    ],
    [
      'controllers that are two minors older',
      'packages.controllerManager = pkgs.kubernetes // { version = "1.34.0"; };',
      'beside which kube-controller-manager 1.34.0 cannot be',
    ],
  ])('%s', async (_, more, message) => {
    expect(await refusalOf(kubernetesHost({ more: `firn.kubernetes = { ${more} };` }))).toContain(message);
  });

  test('a host without a name', async () => {
    const more = 'networking.hostName = lib.mkOverride 0 "";';
    expect(await refusalOf(kubernetesHost({ more }))).toContain('Set one of them.');
    expect(await look({ more: `${more} firn.kubernetes.nodeName = "n1";` }, 'null')).toBeNull();
  });

  test('in an upgrade components differ, each with its own package', async () => {
    const older = 'pkgs.kubernetes // { version = "1.35.4"; outPath = "/older"; }';
    const more = `firn.kubernetes = {
      packages = lib.genAttrs [ "controllerManager" "kubelet" ] (_: ${older});
      versions = { apiServer = "1.36"; controllerManager = "1.35"; scheduler = "1.36"; kubelet = "1.35"; };
    };`;
    const lineOf = (unit: string) =>
      look({ more }, `config.systemd.services.${unit}.serviceConfig.ExecStart`) as Promise<string>;
    expect(await lineOf('kubelet')).toContain('/older/bin/kubelet');
    expect(await lineOf('kube-controller-manager')).toContain('/older/bin/kube-controller-manager');
    for (const unit of ['kube-apiserver', 'kube-scheduler', 'kube-proxy']) {
      expect(await lineOf(unit)).not.toContain('/older/');
    }
  });

  test('one minor up is not', async () => {
    const more = 'firn.kubernetes = { runningVersion = "1.35.4"; version = "1.36"; };';
    expect(await look({ more }, 'null')).toBeNull();
  });
});

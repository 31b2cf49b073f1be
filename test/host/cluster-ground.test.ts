/** Three hosts that boot become a cluster's ground; a fourth joins; keys of the mesh are replaced while traffic flows. */
import { X509Certificate } from 'node:crypto';
import { splitPem } from '../../controllers/lib/pki/pem.ts';
import type { ClusterPKIStatus, NixClusterStatus, NixNode, WireguardMeshStatus } from '../../crds/index.ts';
import { type Booted, hardware, startBooted } from '../support/booted.ts';
import { apply, getNode, isDeployed, waitForNode } from '../support/fleet.ts';
import {
  clusterManifest,
  clusterName,
  memberManifest,
  meshManifest,
  pkiManifest,
} from '../support/ground.ts';
import type { TestHost } from '../support/hosts/start.ts';
import { isGrounded, isWell, type Seen, waitForObject } from '../support/objects.ts';
import { pingedDuring } from '../support/ping.ts';
import { waitFor } from '../support/wait.ts';

let booted: Booted;
const names = ['node1', 'node2', 'node3'];

beforeAll(async () => {
  booted = await startBooted({ names: [...names, 'node4'] });
}, 900_000);

afterAll(async () => {
  await booted?.[Symbol.asyncDispose]();
}, 60_000);

const host = (name: string): TestHost => booted.hosts.find((one) => one.name === name)!;
const stdout = async (name: string, script: string): Promise<string> =>
  (await host(name).run(script)).stdout.trim();

/**
 * The kernel of the tests has no WireGuard; test/vm has a machine whose kernel does. What is to be shown here is what
 * Kubernetes stands on; test/cluster has Kubernetes itself.
 */
const groundAlone = `{ lib, ... }: {
  firn.mesh.implementation = "userspace";
  firn.kubernetes.enable = lib.mkForce false;
}
`;
const member = (name: string, spec: object = {}): object =>
  memberManifest(name, host(name), { modules: [{ inline: hardware }, { inline: groundAlone }], ...spec });

type MeshFits = (object: Seen<WireguardMeshStatus>) => boolean;
const mesh = (what: string, fits: MeshFits) =>
  waitForObject<WireguardMeshStatus>(booted.cluster, 'wireguardmeshes', clusterName, what, fits, 240_000);

const addressesOf = (name: string): string[] => [`fd88:${name.slice(4)}::1`, `10.88.${name.slice(4)}.1`];
const pairsOf = (all: readonly string[]): [string, string][] =>
  all.flatMap((from) => all.filter((to) => to !== from).map((to): [string, string] => [from, to]));

test('from manifests to a network: every host reaches every other one inside of the tunnel', async () => {
  await apply(
    booted.cluster,
    clusterManifest({ nixpkgs: { url: 'path:/srv/nixpkgs' } }),
    meshManifest(),
    pkiManifest(),
    member('node1', { roles: ['control-plane'] }),
    member('node2'),
    member('node3'),
  );
  for (const name of names) await waitForNode(booted.cluster, name, 'deployed', isDeployed, 120_000);
  await mesh('connected', (object) => object.status?.connected === '3/3' && isWell(object));
  for (const [from, to] of pairsOf(names)) {
    for (const address of addressesOf(to)) {
      expect(await stdout(from, `ip route get ${address}`)).toContain('dev wgkube');
      await host(from).run(`ping -c 2 -i 0.2 -W 2 ${address}`);
    }
  }
});

test('names of nodes resolve on every host', async () => {
  for (const [from, to] of pairsOf(names)) {
    const found = await stdout(from, `resolvectl query --legend=no ${to}.k8s.internal`);
    for (const address of addressesOf(to)) expect(found).toContain(address);
  }
});

test('certificates are where components look for them, and their keys belong to who reads them', async () => {
  const files = await stdout(
    'node1',
    `stat -L -c '%n %a %U' /etc/kubernetes/pki/*.key /etc/kubernetes/pki/etcd/*.key`,
  );
  expect(files).toContain('/etc/kubernetes/pki/apiserver.key 400 kubernetes');
  expect(files).toContain('/etc/kubernetes/pki/etcd/server.key 400 etcd');
  expect(files).toContain('/etc/kubernetes/pki/kubelet.key 400 root');
  const onWorker = await stdout('node2', 'ls -R /etc/kubernetes/pki');
  expect(onWorker).toContain('kubelet-client.crt');
  expect(onWorker).not.toContain('apiserver');
});

/** What a change of the devices, of the tunnels or of the system would show in. */
const standing = (name: string): Promise<string> =>
  stdout(
    name,
    `cat /sys/class/net/wgkube*/ifindex
     readlink /run/current-system
     journalctl --no-pager -o cat | grep -c 'firn-build-' || :
     systemctl show -p InvocationID --value sshd.service systemd-networkd.service nftables.service`,
  );
const received = async (name: string, from: string): Promise<number> => {
  const node = await getNode(booted.cluster, from);
  const key = node.status?.mesh?.keys[0]?.publicKey;
  const line = await stdout(name, `wg show wgkube dump | awk -F '\\t' '$1 == "${key}" { print $6 }'`);
  return Number(line);
};

test('a fourth node joins: the others evaluate nothing, keep their tunnels, and reach it within seconds', async () => {
  const before = await Promise.all(names.map(standing));
  const bytes = await Promise.all(pairsOf(names).map(([at, from]) => received(at, from)));
  await apply(booted.cluster, member('node4'));
  await waitForNode(
    booted.cluster,
    'node4',
    'released',
    ({ status }) => !!status?.release?.confirmed,
    120_000,
  );
  const releasedAt = Date.now();
  await waitFor(
    'node4 to be reached from all',
    async () => {
      const answers = names.flatMap((name) =>
        addressesOf('node4').map((address) =>
          host(name).run(`ping -c 1 -W 1 ${address}`, { allowFailure: true }),
        ),
      );
      return (await Promise.all(answers)).every(({ code }) => code === 0);
    },
    { withinMs: 30_000 },
  );
  const seconds = (Date.now() - releasedAt) / 1000;
  console.info(`reached from all ${seconds.toFixed(1)} s after its release`);
  expect(seconds).toBeLessThan(5);
  await mesh('connected', (object) => object.status?.connected === '4/4');
  for (const name of names) await waitForNode(booted.cluster, name, 'deployed', isDeployed, 60_000);
  expect(await Promise.all(names.map(standing))).toEqual(before);
  const after = await Promise.all(pairsOf(names).map(([at, from]) => received(at, from)));
  // A device or a peer that is made anew begins to count from nothing.
  for (const [at, count] of after.entries()) expect(count).toBeGreaterThanOrEqual(bytes[at]!);
  expect(await stdout('node1', 'resolvectl query --legend=no node4.k8s.internal')).toContain('10.88.4.1');
});

/** One way with IPv6, back with IPv4. */
const pingedBy = (from: string, to: string): string => addressesOf(to)[from < to ? 0 : 1]!;

test('keys are replaced while every host pings every other one a hundred times a second: nothing is lost', async () => {
  const all = [...names, 'node4'];
  const flows = pairsOf(all).map(([from, to]) => ({ from: host(from), to: pingedBy(from, to) }));
  const startedAt = Date.now();
  const counted = await pingedDuring(flows, async () => {
    await apply(booted.cluster, meshManifest({ keyRotation: { request: 'now' } }));
    await mesh('rotated', ({ status }) => status?.epoch === 2 && !status.rotation);
  });
  const seconds = (Date.now() - startedAt) / 1000;
  for (const name of all) expect(await stdout(name, 'ls /sys/class/net')).not.toMatch(/^wgkube$/m);
  const sent = counted.reduce((sum, flow) => sum + flow.sent, 0);
  console.info(`${sent} packets in ${seconds.toFixed(1)} s, in which keys were replaced`);
  expect(counted.filter(({ lost }) => lost > 0)).toEqual([]);
  expect(sent).toBeGreaterThan(10_000);
}, 400_000);

type PkiFits = (object: Seen<ClusterPKIStatus>) => boolean;
const pki = (what: string, fits: PkiFits) =>
  waitForObject<ClusterPKIStatus>(booted.cluster, 'clusterpkis', clusterName, what, fits, 240_000);

/** The kubelet's client certificate as the host has it, by whom it is to be judged, and its key. */
async function identityOf(name: string) {
  const folder = '/etc/kubernetes/pki';
  const read = async (file: string) => splitPem(await stdout(name, `cat ${folder}/${file}`));
  const [leaf = ''] = await read('kubelet-client.crt');
  const trusted = (await read('ca.crt')).map((pem) => new X509Certificate(pem));
  const key = await stdout(name, `sha256sum < ${folder}/kubelet-client.key`);
  return { leaf: new X509Certificate(leaf), trusted, key };
}

test('certificates are made anew for another lifetime: nothing is built, and the mesh does not notice', async () => {
  const all = [...names, 'node4'];
  const before = await Promise.all(all.map(identityOf));
  const stood = await Promise.all(all.map(standing));
  const certificates = { lifetime: '1000h', renewBefore: '300h' };
  await apply(booted.cluster, pkiManifest({ certificates }));
  for (const name of all) {
    const isRenewed = (node: NixNode) =>
      isDeployed(node) && Date.parse(node.status?.pki?.nextExpiry ?? '') - Date.now() < 1001 * 3_600_000;
    await waitForNode(booted.cluster, name, 'certificates of 1000 h', isRenewed, 120_000);
  }
  await pki('what hosts say', ({ status }) => status?.nextExpiryIn === '41d');
  const after = await Promise.all(all.map(identityOf));
  for (const [at, { leaf, trusted, key }] of after.entries()) {
    expect(leaf.validToDate.getTime()).toBeLessThan(before[at]!.leaf.validToDate.getTime());
    expect(trusted.some((authority) => leaf.verify(authority.publicKey))).toBe(true);
    expect(key).not.toBe(before[at]!.key);
  }
  expect(await Promise.all(all.map(standing))).toEqual(stood);
}, 300_000);

test('the cluster says of its nodes what it gave them', async () => {
  const cluster = await waitForObject<NixClusterStatus>(
    booted.cluster,
    'nixclusters',
    clusterName,
    'grounded',
    isGrounded,
    60_000,
  );
  expect(cluster.status?.nodes).toHaveLength(4);
});

test('authorities are replaced on hosts: at no time is one given what another would not accept', async () => {
  const all = [...names, 'node4'];
  const certificates = { lifetime: '1000h', renewBefore: '300h' };
  const [before] = (await pki('before', isWell)).status?.authorities ?? [];
  await apply(booted.cluster, pkiManifest({ certificates, rotate: { authority: 'now' } }));
  let isOver = false;
  const rejected: string[] = [];
  const watched = (async () => {
    while (!isOver) {
      const seen = await Promise.all(all.map(identityOf));
      for (const [at, { leaf }] of seen.entries())
        for (const [by, { trusted }] of seen.entries())
          if (!trusted.some((authority) => leaf.verify(authority.publicKey)))
            rejected.push(`${all[by]} does not accept ${all[at]}`);
    }
  })();
  const rotated = await pki('rotated', (object) => {
    const [now] = object.status?.authorities ?? [];
    const [rotation] = object.status?.rotation ?? [];
    // No Kubernetes runs here that could say whether somebody still needs the former one.
    const isHeld = rotation?.waitsFor?.startsWith('the API of the cluster') === true;
    return rotation?.stage === 'Reissue' && isHeld && now?.fingerprint !== before?.fingerprint;
  }).finally(() => {
    isOver = true;
  });
  await watched;
  expect(rejected).toEqual([]);
  for (const { trusted } of await Promise.all(all.map(identityOf)))
    expect(trusted.map((one) => one.fingerprint256.replaceAll(':', '').toLowerCase())).toContain(
      rotated.status?.authorities?.find(({ name }) => name === 'cluster')?.fingerprint,
    );
}, 400_000);

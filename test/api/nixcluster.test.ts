/** NixCluster against a real API server: what is accepted and refused, and what the controller makes of members. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { systemClock } from '../../controllers/lib/core/clock.ts';
import { KubeClient } from '../../controllers/lib/kube/client.ts';
import { kubeConfigFrom } from '../../controllers/lib/kube/config.ts';
import { objectsOf } from '../../controllers/lib/kube/objects.ts';
import { declaration, nixClusterController } from '../../controllers/nixcluster/controller.ts';
import type { NixCluster } from '../../crds/index.ts';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { installCrds } from '../support/firn-api.ts';
import { fullCluster } from '../support/full-cluster.ts';
import { expectHonestStatus } from '../support/honest-status.ts';
import { startOperator, type TestOperator } from '../support/operator.ts';

let cluster: TestCluster;
let operator: TestOperator;
let client: KubeClient;

beforeAll(async () => {
  cluster = await startTestCluster();
  await installCrds(cluster);
  client = new KubeClient(kubeConfigFrom(cluster.kubeconfig), systemClock);
  operator = startOperator(cluster.kubeconfig, [nixClusterController(objectsOf(client, declaration))]);
  await eventually(() => expect(operator.phases).toContain('leading'));
}, 120_000);

afterAll(async () => {
  await operator?.stop();
  await client?.close();
  await cluster?.stop();
});

const url = 'github:NixOS/nixpkgs/nixos-26.05';
const hostKeys = ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFBvcnRhYmxlS2V5Rm9yVGVzdHNPbmx5AAAAAA'];
type Fields = { [field: string]: unknown };

const kubectl = async (args: string[], object?: Fields | Fields[]): Promise<string> => {
  const items = Array.isArray(object) ? { apiVersion: 'v1', kind: 'List', items: object } : object;
  const { stdout, stderr, code } = await cluster.kubectl(args, items && JSON.stringify(items));
  expect({ args, code, stderr: code === 0 ? '' : stderr }).toEqual({ args, code: 0, stderr: '' });
  return stdout;
};
const refusal = async (args: string[], object: Fields): Promise<string> => {
  const { code, stderr } = await cluster.kubectl(args, JSON.stringify(object));
  expect(code).not.toBe(0);
  return stderr;
};

const clusterIn = (namespace: string, network: Fields = {}, spec: Fields = {}): Fields => ({
  apiVersion: 'firn.dev/v1alpha1',
  kind: 'NixCluster',
  metadata: { name: 'demo', namespace },
  spec: {
    kubernetes: { version: '1.36' },
    nixpkgs: { url },
    endpoint: { host: 'kube.example.com' },
    network,
    ...spec,
  },
});

const nodeIn = (namespace: string, name: string, spec: Fields = {}, metadata: Fields = {}): Fields => ({
  apiVersion: 'firn.dev/v1alpha1',
  kind: 'NixNode',
  metadata: { name, namespace, ...metadata },
  spec: {
    ssh: { host: `${name}.example.com`, keyRef: { name: 'deploy-key' }, hostKeys },
    stateVersion: '26.05',
    clusterRef: { name: 'demo' },
    roles: ['worker'],
    ...spec,
  },
});

const apply = (objects: Fields[]) => kubectl(['apply', '--server-side', '-f', '-'], objects);

const lastTransitionTime = '2026-11-21T10:00:00Z';
const truth = (type: string, status = 'True', reason = 'Succeeded') => ({
  type,
  status,
  reason,
  message: '',
  lastTransitionTime,
});

/** Stands in for a host: writes what nixnode would write of it, as nixnode. */
const hostSays = (namespace: string, name: string, status: Fields) =>
  kubectl(['apply', '--server-side', '--subresource=status', '--field-manager=firn-nixnode', '-f', '-'], {
    apiVersion: 'firn.dev/v1alpha1',
    kind: 'NixNode',
    metadata: { name, namespace },
    status: {
      lastObserved: lastTransitionTime,
      conditions: [truth('Ready', 'False', 'WaitingForIndex'), truth('Reachable')],
      ...status,
    },
  });

type Seen = NixCluster & { status: NonNullable<NixCluster['status']> };
const get = async (namespace: string): Promise<Seen> =>
  JSON.parse(await kubectl(['get', 'nixcluster', 'demo', '-n', namespace, '-o', 'json']));
const numbersIn = ({ status }: Seen) =>
  Object.fromEntries((status?.nodes ?? []).map(({ name, index }) => [name, index]));
const conditionIn = ({ status }: Seen, type: string) =>
  status?.conditions?.find((condition) => condition.type === type);

async function newNamespace(namespace: string): Promise<void> {
  await kubectl(['create', 'namespace', namespace]);
}

describe('what is accepted', () => {
  const folder = join(import.meta.dirname, '../../docs/examples');
  const examples = readdirSync(folder).filter((name) => /^0[2-5].*\.yaml$/.test(name));

  // As a file: what YAML makes of a value is part of it.
  test.each(examples)('the example %s, as it is', async (name) => {
    const path = join(folder, name);
    const documents = parseAllDocuments(readFileSync(path, 'utf8')).map((one) => one.toJS() as Fields);
    const namespaces = documents.map(({ metadata }) => (metadata as { namespace: string }).namespace);
    for (const namespace of new Set(namespaces)) await newNamespace(namespace);
    await kubectl(['apply', '--server-side', '--dry-run=server', '--validate=strict', '-f', path]);
  });

  test('every field that there is', async () => {
    const object = { ...fullCluster('full'), metadata: { name: 'full', namespace: 'default' } };
    await kubectl(['create', '--dry-run=server', '--validate=strict', '-f', '-'], object);
  });

  test('IPv4 alone', async () => {
    const network = { pods: [{ cidr: '10.42.0.0/16', nodePrefix: 24 }], services: ['10.43.0.0/16'] };
    await kubectl(['create', '--dry-run=server', '-f', '-'], clusterIn('default', network));
  });
});

describe('what is refused when it is applied', () => {
  const v4 = (cidr: string, nodePrefix: number) => ({
    pods: [{ cidr, nodePrefix }],
    services: ['172.30.0.0/24'],
  });

  test.each<[string, Fields, RegExp]>([
    [
      'services that cover pods',
      { services: ['10.80.0.0/12'] },
      /services overlaps more of pods than one subnet/,
    ],
    [
      'services across subnets',
      { services: ['10.88.4.0/23'] },
      /services overlaps more of pods than one subnet/,
    ],
    [
      'services of a family that pods lack',
      { pods: [{ cidr: 'fd88::/16', nodePrefix: 32 }] },
      /has a family that pods lacks: give services/,
    ],
    [
      'two pod networks of one family',
      {
        pods: [
          { cidr: '10.1.0.0/16', nodePrefix: 24 },
          { cidr: '10.2.0.0/16', nodePrefix: 24 },
        ],
      },
      /pods has two networks of one family/,
    ],
    [
      'two service networks of one family',
      { services: ['10.88.0.0/24', '10.96.0.0/24'] },
      /services has two networks of one family/,
    ],
    [
      'a pod network with room for no node',
      v4('10.1.0.0/24', 24),
      /nodePrefix must be longer than the prefix of cidr/,
    ],
    ['subnets that are too small for pods', v4('10.1.0.0/16', 29), /leaves a node too few addresses/],
    ['services that are too small', { services: ['10.88.0.0/29'] }, /of 16 to 1048576 addresses/],
    ['services that are too large', { services: ['10.0.0.0/11'] }, /of 16 to 1048576 addresses/],
    ['bits after the prefix', v4('10.1.2.0/16', 24), /no bits after the prefix/],
    ['loopback addresses', v4('127.0.0.0/8', 24), /not of loopback, link-local or multicast/],
    ['what is no network', { allowInbound: ['anywhere'] }, /must be a network such as/],
    ['a domain that is none', { domain: 'K8s' }, /must be a domain such as k8s\.internal/],
    [
      'routing beside a mesh',
      { meshRef: { name: 'm' }, routing: 'Direct' },
      /routing is for clusters without meshRef/,
    ],
  ])('%s', async (_, network, message) => {
    const said = await refusal(['create', '--dry-run=server', '-f', '-'], clusterIn('default', network));
    expect(said).toMatch(message);
    // Nothing but our own words: no rule that failed because of what another one refuses.
    expect(said).not.toMatch(/no such overload|parse error|evaluation error/i);
  });

  test('a name that is no label', async () => {
    const object = { ...clusterIn('default'), metadata: { name: 'a.b', namespace: 'default' } };
    expect(await refusal(['create', '--dry-run=server', '-f', '-'], object)).toMatch(/must be a DNS label/);
  });
});

describe('a cluster from its first node to its last', () => {
  const namespace = 'living';

  test('hands out numbers once every host was asked, and asks one of them for nixpkgs', async () => {
    await newNamespace(namespace);
    await apply([
      clusterIn(namespace),
      ...['node1', 'node2', 'node10'].map((name) =>
        nodeIn(namespace, name, name === 'node2' ? { index: 5 } : {}),
      ),
    ]);
    await hostSays(namespace, 'node10', {});
    await eventually(async () => {
      const seen = await get(namespace);
      expect(conditionIn(seen, 'Allocated')).toMatchObject({
        status: 'False',
        reason: 'MembersUnobserved',
        message: expect.stringContaining('not heard yet: node1.'),
      });
      expect(numbersIn(seen)).toEqual({});
      expectHonestStatus(seen);
    });
    await hostSays(namespace, 'node1', {});
    await hostSays(namespace, 'node2', {});
    await eventually(async () => {
      const seen = await get(namespace);
      expect(numbersIn(seen)).toEqual({ node1: 1, node2: 5, node10: 2 });
      expect(conditionIn(seen, 'Pinned')).toMatchObject({ status: 'False', reason: 'ResolvingNixpkgs' });
      expect(seen.status.resolver).toBe('node1');
      expect(seen.status.nodes![0]).toMatchObject({
        podCIDRs: ['fd88:1::/32', '10.88.1.0/24'],
        addresses: ['fd88:1::1', '10.88.1.1'],
      });
    });
  });

  test('makes a ClusterPKI that does not go with it', async () => {
    const pki = JSON.parse(await kubectl(['get', 'clusterpki', 'demo', '-n', namespace, '-o', 'json']));
    expect(pki.metadata.ownerReferences).toBeUndefined();
    expect(pki.metadata.labels).toMatchObject({ 'firn.dev/cluster': 'demo' });
    await eventually(async () => {
      const events = await kubectl(['get', 'events', '-n', namespace, '-o', 'jsonpath={.items[*].reason}']);
      expect(events).toContain('PkiCreated');
    });
  });

  const locked = JSON.stringify({
    type: 'github',
    owner: 'NixOS',
    repo: 'nixpkgs',
    rev: 'a'.repeat(40),
    narHash: `sha256-${'A'.repeat(43)}=`,
    lastModified: 1_790_000_000,
  });

  test('keeps what the host found, and is ready with its members', async () => {
    await hostSays(namespace, 'node1', { nixpkgs: { url, locked } });
    await eventually(async () => expect((await get(namespace)).status.nixpkgs?.rev).toBe('a'.repeat(40)));
    const facts = { addresses: ['192.0.2.1', '2001:db8::1'] };
    const ready = [truth('Ready'), truth('Reachable')];
    for (const [name, index] of [
      ['node1', 1],
      ['node2', 5],
      ['node10', 2],
    ] as const) {
      const member = { cluster: 'demo', index, nixpkgs: { url, locked } };
      await hostSays(namespace, name, { conditions: ready, member, facts });
    }
    await eventually(async () => {
      const seen = await get(namespace);
      expect(conditionIn(seen, 'Ready')).toMatchObject({ status: 'False', reason: 'UnderlayMissing' });
      expect(seen.status.members).toBe('3/3');
    });
    for (const [name, at] of [
      ['node1', 1],
      ['node2', 2],
      ['node10', 3],
    ] as const) {
      const addresses = [`192.0.2.${at}`, `2001:db8::${at}`];
      await kubectl([
        'patch',
        'nixnode',
        name,
        '-n',
        namespace,
        '--type=merge',
        '-p',
        JSON.stringify({ spec: { addresses } }),
      ]);
    }
    await eventually(async () => {
      const seen = await get(namespace);
      expect(conditionIn(seen, 'Ready')?.status).toBe('True');
      expect(seen.status.resolver).toBeUndefined();
      expectHonestStatus(seen);
    });
  });

  test('shows itself in columns', async () => {
    const [head, row] = (await kubectl(['get', 'nc', '-n', namespace])).split('\n');
    expect(head!.trim().split(/ {2,}/)).toEqual([
      'NAME',
      'VERSION',
      'NODES',
      'READY',
      'STATUS',
      'ENDPOINT',
      'AGE',
    ]);
    expect(row).toMatch(/^demo +3\/3 +True +Healthy +https:\/\/kube\.example\.com:6443 +\d+s *$/);
  });

  test.each<[string, Fields, RegExp]>([
    [
      'pods',
      { pods: [{ cidr: '10.1.0.0/16', nodePrefix: 24 }] },
      /spec\.network\.pods is immutable once a node has a number/,
    ],
    [
      'services',
      { services: ['10.96.0.0/24'] },
      /spec\.network\.services is immutable once a node has a number/,
    ],
    ['domain', { domain: 'other.internal' }, /domain is immutable/],
    ['meshRef', { meshRef: { name: 'mesh' } }, /meshRef is immutable/],
  ])('refuses another %s', async (_, network, message) => {
    expect(
      await refusal(
        ['apply', '--server-side', '--force-conflicts', '--dry-run=server', '-f', '-'],
        clusterIn(namespace, network),
      ),
    ).toMatch(message);
  });

  test('refuses an address of a node that is one of its pods, and hands out nothing meanwhile', async () => {
    await apply([nodeIn(namespace, 'stray', { addresses: ['10.88.5.77'] })]);
    await hostSays(namespace, 'stray', {});
    await eventually(async () => {
      const seen = await get(namespace);
      expect(conditionIn(seen, 'Stalled')).toMatchObject({
        status: 'True',
        reason: 'OverlapsPods',
        message: expect.stringContaining(
          'address 10.88.5.77 of NixNode stray is within the subnets of NixNode node2',
        ),
      });
      expect(numbersIn(seen)).toEqual({ node1: 1, node2: 5, node10: 2 });
      expectHonestStatus(seen);
    });
    await kubectl(['delete', 'nixnode', 'stray', '-n', namespace]);
    await eventually(async () => expect(conditionIn(await get(namespace), 'Ready')?.status).toBe('True'));
  });

  test('frees the number of a host that was reset, and retires those of others', async () => {
    const finalizers = { finalizers: ['firn.dev/nixnode'] };
    await apply([nodeIn(namespace, 'node3', {}, finalizers), nodeIn(namespace, 'node4', {}, finalizers)]);
    for (const name of ['node3', 'node4']) await hostSays(namespace, name, {});
    await eventually(async () =>
      expect(numbersIn(await get(namespace))).toMatchObject({ node3: 3, node4: 4 }),
    );
    await kubectl(['delete', 'nixnode', 'node3', 'node4', '-n', namespace, '--wait=false']);
    for (const [name, outcome] of [
      ['node3', 'Reset'],
      ['node4', 'Orphaned'],
    ] as const)
      await hostSays(namespace, name, { deletion: { outcome, at: lastTransitionTime } });
    await eventually(async () => {
      const seen = await get(namespace);
      expect(numbersIn(seen)).toEqual({ node1: 1, node2: 5, node10: 2 });
      expect(seen.status.retiredIndexes).toEqual([expect.objectContaining({ index: 4, name: 'node4' })]);
    });
    for (const name of ['node3', 'node4'])
      await kubectl([
        'patch',
        'nixnode',
        name,
        '-n',
        namespace,
        '--type=merge',
        '-p',
        '{"metadata":{"finalizers":null}}',
      ]);
    await apply([nodeIn(namespace, 'node5'), nodeIn(namespace, 'node6')]);
    for (const name of ['node5', 'node6']) await hostSays(namespace, name, {});
    await eventually(async () =>
      expect(numbersIn(await get(namespace))).toMatchObject({ node5: 3, node6: 6 }),
    );
    await kubectl(['delete', 'nixnode', 'node5', 'node6', '-n', namespace]);
  });

  test('comes back as it was where its status is lost', async () => {
    await kubectl(['delete', 'nixcluster', 'demo', '-n', namespace]);
    await apply([clusterIn(namespace)]);
    await eventually(async () => {
      const seen = await get(namespace);
      expect(numbersIn(seen)).toEqual({ node1: 1, node2: 5, node10: 2 });
      expect(seen.status.nixpkgs?.locked).toBe(locked);
      expect(conditionIn(seen, 'Ready')?.status).toBe('True');
    });
  });
});

describe('two members that want one number', () => {
  const namespace = 'rivals';

  test('stall the cluster, which names both and gives it to neither', async () => {
    await newNamespace(namespace);
    await apply([
      clusterIn(namespace),
      ...['a', 'b'].map((name) => nodeIn(namespace, name, { index: 7 })),
      nodeIn(namespace, 'c'),
    ]);
    for (const name of ['a', 'b', 'c']) await hostSays(namespace, name, {});
    await eventually(async () => {
      const seen = await get(namespace);
      expect(conditionIn(seen, 'Stalled')).toMatchObject({
        status: 'True',
        reason: 'IndexConflict',
        message: expect.stringMatching(/^number 7 belongs to more than one of the NixNodes a, b,/),
      });
      expect(numbersIn(seen)).toEqual({ c: 1 });
      expectHonestStatus(seen);
    });
  });

  test('and it goes on once one of them is gone', async () => {
    await kubectl(['delete', 'nixnode', 'b', '-n', namespace]);
    await eventually(async () => expect(numbersIn(await get(namespace))).toEqual({ a: 7, c: 1 }));
  });
});

describe('what a cluster names', () => {
  const namespace = 'names';

  test('is waited for, and no number is given before the mesh says who else has addresses', async () => {
    await newNamespace(namespace);
    const network = { meshRef: { name: 'mesh' } };
    await apply([clusterIn(namespace, network, { pkiRef: { name: 'own' } }), nodeIn(namespace, 'a')]);
    await hostSays(namespace, 'a', {});
    await eventually(async () =>
      expect(conditionIn(await get(namespace), 'Planned')).toMatchObject({ reason: 'WireguardMeshNotFound' }),
    );
    const publicKey = 'pHEYIfgWiJEgnR8zKYGnWlbZbQZ0xb5eEyzVSpzz3BM=';
    const externalPeers = [{ name: 'laptop', publicKey, allowedIPs: ['10.88.1.0/24'] }];
    await apply([
      {
        apiVersion: 'firn.dev/v1alpha1',
        kind: 'WireguardMesh',
        metadata: { name: 'mesh', namespace },
        spec: { externalPeers },
      },
    ]);
    await eventually(async () =>
      expect(conditionIn(await get(namespace), 'Planned')).toMatchObject({ reason: 'ClusterPKINotFound' }),
    );
    await apply([
      { apiVersion: 'firn.dev/v1alpha1', kind: 'ClusterPKI', metadata: { name: 'own', namespace }, spec: {} },
    ]);
    await eventually(async () => expect(numbersIn(await get(namespace))).toEqual({ a: 2 }));
    const pkis = await kubectl(['get', 'clusterpkis', '-n', namespace, '-o', 'name']);
    expect(pkis.trim()).toBe('clusterpki.firn.dev/own');
  });

  test('the network may change while no node has a number', async () => {
    await newNamespace('fresh');
    await apply([clusterIn('fresh')]);
    await eventually(async () => expect(conditionIn(await get('fresh'), 'Ready')?.reason).toBe('NoMembers'));
    await apply([
      clusterIn('fresh', { pods: [{ cidr: '10.1.0.0/16', nodePrefix: 24 }], services: ['10.1.0.0/24'] }),
    ]);
  });
});

/** Which NixClusters the API server accepts, and in which words it refuses others. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { fullCluster } from '../support/full-cluster.ts';
import { type ClusterPlay, clusterIn, startClusterPlay } from '../support/nixclusters.ts';
import type { Fields } from '../support/play.ts';

let play: ClusterPlay;

beforeAll(async () => {
  play = await startClusterPlay();
}, 120_000);

afterAll(async () => {
  await play?.stop();
});

describe('what is accepted', () => {
  const folder = join(import.meta.dirname, '../../docs/examples');
  const examples = readdirSync(folder).filter((name) => /^0[2-5].*\.yaml$/.test(name));

  const made = new Set<string>();

  // As a file: what YAML makes of a value is part of it.
  test.each(examples)('the example %s, as it is', async (name) => {
    const path = join(folder, name);
    const documents = parseAllDocuments(readFileSync(path, 'utf8')).map((one) => one.toJS() as Fields);
    const namespaces = documents.map(({ metadata }) => (metadata as { namespace: string }).namespace);
    for (const namespace of namespaces) {
      if (!made.has(namespace)) await play.newNamespace(namespace);
      made.add(namespace);
    }
    await play.kubectl(['apply', '--server-side', '--dry-run=server', '--validate=strict', '-f', path]);
  });

  test('every field that there is', async () => {
    const object = { ...fullCluster('full'), metadata: { name: 'full', namespace: 'default' } };
    await play.kubectl(['create', '--dry-run=server', '--validate=strict', '-f', '-'], object);
  });

  test('IPv4 alone', async () => {
    const network = { pods: [{ cidr: '10.42.0.0/16', nodePrefix: 24 }], services: ['10.43.0.0/16'] };
    await play.kubectl(['create', '--dry-run=server', '-f', '-'], clusterIn('default', network));
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
      'Flannel on top of a mesh',
      { cni: 'Flannel', meshRef: { name: 'demo' } },
      /carries packets between nodes itself: leave out meshRef/,
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
    const said = await play.refusal(['create', '--dry-run=server', '-f', '-'], clusterIn('default', network));
    expect(said).toMatch(message);
    // Nothing but our own words: no rule that failed because of what another one refuses.
    expect(said).not.toMatch(/no such overload|parse error|evaluation error/i);
  });

  test.each(['apiServer', 'controllerManager', 'scheduler'] as const)(
    'a flag of the %s that Firn sets',
    async (component) => {
      const controlPlane = { [component]: { extraArgs: { 'bind-address': '::', v: '4' } } };
      const said = await play.refusal(
        ['create', '--dry-run=server', '-f', '-'],
        clusterIn('default', {}, { controlPlane }),
      );
      expect(said).toMatch(/must have none of the flags that Firn sets by itself: .*bind-address/);
    },
  );

  test('a name that is no label', async () => {
    const object = { ...clusterIn('default'), metadata: { name: 'a.b', namespace: 'default' } };
    expect(await play.refusal(['create', '--dry-run=server', '-f', '-'], object)).toMatch(
      /must be a DNS label/,
    );
  });
});

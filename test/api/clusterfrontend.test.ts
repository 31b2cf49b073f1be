/** ClusterFrontends in a real API server, with every controller; hosts are scripted, and say what they were given. */

import { clusterFrontendController } from '../../controllers/clusterfrontend/controller.ts';
import { digestOf } from '../../controllers/clusterfrontend/file.ts';
import { ReconcileError } from '../../controllers/lib/core/outcome.ts';
import { ClusterFrontend, type ClusterFrontendStatus } from '../../crds/index.ts';
import { eventually } from '../support/eventually.ts';
import { frontendIn } from '../support/frontends.ts';
import { clusterIn, nodeIn, truth } from '../support/nixclusters.ts';
import { type Fields, type Play, startPlay } from '../support/play.ts';

const namespace = 'demo';
let play: Play;
/** Whether there is a way into the cluster. */
let isOpen = true;

type Seen = ClusterFrontend & { status: ClusterFrontendStatus };

const get = async (name: string): Promise<Seen> => {
  const raw = JSON.parse(await play.kubectl(['get', 'cf', name, '-n', namespace, '-o', 'json']));
  return ClusterFrontend.parse(raw) as Seen;
};
const when = (name: string, type: string, reason: string): Promise<Seen> =>
  eventually(async () => {
    const frontend = await get(name);
    expect(frontend.status?.observedGeneration).toBe(frontend.metadata.generation);
    expect(frontend.status.conditions?.find((one) => one.type === type)).toMatchObject({ reason });
    return frontend;
  });
const service = (name: string, spec: Fields): Fields => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'default' },
  spec: { selector: { app: name }, ports: [{ name: 'https', port: 443 }], ...spec },
});
const edge = (name: string, labels: Fields = {}) =>
  nodeIn(namespace, name, { roles: ['frontend'] }, { labels });
/** Of a host that serves frontends as they are now. */
const serves = async (node: string, pods: { servers: number; up: number }, ...names: string[]) => {
  const frontends = await Promise.all(
    names.map(async (name) => ({ name, digest: digestOf(await get(name)), ...pods })),
  );
  await play.nodeSays(namespace, node, {
    conditions: [truth('Ready')],
    facts: { addresses: ['198.51.100.2'] },
    frontends,
  });
};

beforeAll(async () => {
  // The cluster behind is the same API server: its Services are as real as any.
  play = await startPlay((client) => [
    clusterFrontendController(async () => {
      if (!isOpen) throw new ReconcileError('waiting', 'NoControlPlane', 'there is no way in yet');
      return client;
    }),
  ]);
  await play.newNamespace(namespace);
  await play.apply([service('ingress', { clusterIP: 'None' })]);
}, 120_000);
afterAll(async () => {
  await play?.stop();
});

test('it waits for its cluster, for a node, for the host, for pods, and says so', async () => {
  await play.apply([frontendIn(namespace, 'web', { bind: ['198.51.100.2:443'] })]);
  await when('web', 'Ready', 'NixClusterNotFound');
  await play.apply([clusterIn(namespace)]);
  await when('web', 'Ready', 'NoFrontendNodes');
  await play.apply([edge('edge-1')]);
  const { status } = await when('web', 'Ready', 'NotDeployed');
  expect(status.conditions?.find(({ type }) => type === 'Reconciling')?.status).toBe('True');
  await serves('edge-1', { servers: 0, up: 0 }, 'web');
  await when('web', 'Ready', 'NoBackends');
  await serves('edge-1', { servers: 5, up: 0 }, 'web');
  await when('web', 'Ready', 'BackendDown');
  await serves('edge-1', { servers: 5, up: 5 }, 'web');
  await when('web', 'Ready', 'Reconciled');
  const row = await play.kubectl(['get', 'clusterfrontends', '-n', namespace, '--no-headers']);
  expect(
    row
      .trim()
      .split(/\s{2,}/)
      .slice(0, 6),
  ).toEqual(['web', '198.51.100.2:443', '1/1', '5/5', 'True', 'Serving']);
});

test('a change is served when the host has it, and not before', async () => {
  await play.apply([frontendIn(namespace, 'web', { bind: [':443'], balance: 'source' })]);
  await when('web', 'Ready', 'NotDeployed');
  await serves('edge-1', { servers: 5, up: 5 }, 'web');
  await when('web', 'Ready', 'Reconciled');
});

test('two that want one port: the newer is refused, and serves as soon as the older goes', async () => {
  await play.apply([frontendIn(namespace, 'another', { bind: ['192.0.2.1:443'] })]);
  const { status } = await when('another', 'Stalled', 'BindTaken');
  expect(status.conditions?.find(({ type }) => type === 'Placed')?.message).toMatch(
    '192.0.2.1:443 on edge-1 is taken by :443 of ClusterFrontend web',
  );
  expect(status.serving).toBe('0/0');
  await play.kubectl(['delete', 'cf', 'web', '-n', namespace]);
  await when('another', 'Ready', 'AddressMissing');
  // As the node is told at once, and its host then says.
  await serves('edge-1', { servers: 2, up: 2 }, 'another');
  await when('another', 'Deployed', 'Succeeded');
  await when('another', 'Ready', 'AddressMissing');
});

test('whoever names a node by its labels has that one alone', async () => {
  await play.apply([edge('edge-2', { site: 'b' })]);
  await play.apply([
    frontendIn(namespace, 'chosen', { bind: [':80'], nodeSelector: { matchLabels: { site: 'b' } } }),
  ]);
  const { status } = await when('chosen', 'Ready', 'NotDeployed');
  expect(status.nodes?.map(({ name }) => name)).toEqual(['edge-2']);
});

test('its Service is looked for as soon as the API of the cluster answers', async () => {
  isOpen = false;
  const nodeSelector = { matchLabels: { site: 'b' } };
  await play.apply([frontendIn(namespace, 'early', { bind: [':81'], nodeSelector })]);
  await when('early', 'Ready', 'NotDeployed');
  await serves('edge-2', { servers: 1, up: 1 }, 'early');
  await when('early', 'Ready', 'Reconciled');
  await when('early', 'BackendFound', 'Pending');
  isOpen = true;
  await play.kubectl(['apply', '--server-side', '--subresource=status', '-f', '-'], {
    ...clusterIn(namespace),
    spec: undefined,
    status: { conditions: [truth('ApiAvailable')] },
  });
  await when('early', 'BackendFound', 'Succeeded');
});

test.each<[string, Fields | null, string]>([
  ['is not there', null, 'BackendNotFound'],
  ['is not headless', {}, 'BackendNotHeadless'],
  [
    'has no such port',
    { clusterIP: 'None', ports: [{ name: 'https', protocol: 'UDP', port: 443 }] },
    'BackendPortNotFound',
  ],
])('a Service that %s is told, and the rest goes on', async (_, spec, reason) => {
  const name = reason.toLowerCase();
  if (spec) await play.apply([service(name, spec)]);
  const backend = { service: { name, port: 'https' } };
  const nodeSelector = { matchLabels: { site: 'b' } };
  await play.apply([
    frontendIn(namespace, name, { bind: [`:${9000 + name.length}`], nodeSelector, backend }),
  ]);
  const { status } = await when(name, 'BackendFound', reason);
  expect(status.conditions?.find(({ type }) => type === 'Deployed')?.reason).toBe('NotDeployed');
  await serves('edge-2', { servers: 1, up: 1 }, name);
  await when(name, 'Serving', 'Succeeded');
  await when(name, 'Ready', reason);
});

test.each<[string, Fields, RegExp]>([
  ['what is no bind', { bind: ['443'] }, /must be an address and a port/],
  ['a name', { bind: ['www.example.com:443'] }, /must be an address and a port/],
  ['a bind with more behind it', { bind: [':443 ssl crt /x'] }, /must be an address and a port/],
  ['a port of Kubernetes', { bind: [':6443'] }, /must leave the ports of Kubernetes alone/],
  ['nowhere to listen', { bind: [] }, /spec.bind/],
  [
    'a service that is no name',
    { backend: { service: { name: 'a b', port: 'https' } } },
    /must be a DNS label/,
  ],
  [
    'a number of a port',
    { backend: { service: { name: 'ingress', port: 'https_x' } } },
    /must be the name of a port/,
  ],
  ['another cluster', { clusterRef: { name: 'other' } }, /clusterRef is immutable/],
])('%s is refused when it is applied', async (_, spec, words) => {
  await play.apply([frontendIn(namespace, 'standing')]);
  const said = await play.refusal(
    ['apply', '--server-side', '-f', '-'],
    frontendIn(namespace, 'standing', spec),
  );
  expect(said).toMatch(words);
});

/** NixNodes as tests write them, and what kubectl says of them. */
import { stringify } from 'yaml';
import type { NixNode } from '../../crds/index.ts';
import type { TestCluster } from './cluster.ts';
import { type RawApi, rawApi } from './firn-api.ts';
import { requireSearchable } from './secrets/manifests.ts';
import { waitFor } from './wait.ts';

export const namespace = 'fleet';

type Login = { address: string; port: number; hostKey: string };

/** A NixNode with the given spec on top of what every one needs. */
export const nodeManifest = (name: string, host: Login, spec: object = {}): object => ({
  apiVersion: 'firn.dev/v1alpha1',
  kind: 'NixNode',
  metadata: { name, namespace },
  spec: {
    ssh: { host: host.address, port: host.port, keyRef: { name: 'deploy-key' }, hostKeys: [host.hostKey] },
    stateVersion: '26.05',
    nixpkgs: { url: 'github:NixOS/nixpkgs/nixos-26.05' },
    ...spec,
  },
});

export const sshKeySecret = (privateKey: string, name = 'deploy-key'): object => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace },
  type: 'kubernetes.io/ssh-auth',
  stringData: { 'ssh-privatekey': privateKey },
});

export async function apply(cluster: TestCluster, ...objects: object[]): Promise<void> {
  for (const object of objects) requireSearchable(object);
  const text = objects.map((object) => stringify(object)).join('---\n');
  const applied = await cluster.kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], text);
  if (applied.code !== 0) throw new Error(`kubectl apply: ${applied.stderr}`);
  // A list from before it must not pass for the answer to it.
  const reader = readers.get(cluster);
  if (reader) reader.asked = Number.NEGATIVE_INFINITY;
}

/** A connection and the newest list, shared by all who wait: kubectl, or a connection each, costs more than the answer. */
const readers = new WeakMap<TestCluster, { api: RawApi; asked: number; nodes: Promise<NixNode[]> }>();
const listMs = 50;

function nodesOf(cluster: TestCluster): Promise<NixNode[]> {
  const reader = readers.get(cluster);
  if (reader && performance.now() - reader.asked < listMs) return reader.nodes;
  const api = reader?.api ?? rawApi(cluster);
  const path = `/apis/firn.dev/v1alpha1/namespaces/${namespace}/nixnodes`;
  const nodes = api.send('GET', path).then(({ status, body }) => {
    if (status !== 200) throw new Error(`GET ${path}: ${status} ${body.message}`);
    return (body as unknown as { items: NixNode[] }).items;
  });
  readers.set(cluster, { api, asked: performance.now(), nodes });
  return nodes;
}

/** What the API server had at most a moment ago; undefined where there is none. */
export const findNode = async (cluster: TestCluster, name: string): Promise<NixNode | undefined> =>
  (await nodesOf(cluster)).find((node) => node.metadata.name === name);

/** As `findNode`; throws where there is none. */
export async function getNode(cluster: TestCluster, name: string): Promise<NixNode> {
  const node = await findNode(cluster, name);
  if (node === undefined) throw new Error(`there is no NixNode ${name}`);
  return node;
}

export const conditionOf = (node: NixNode, type: string) =>
  node.status?.conditions?.find((condition) => condition.type === type);

/** Waits until the node's status is about its newest spec and fits; the message of a failure holds all conditions. */
export async function waitForNode(
  cluster: TestCluster,
  name: string,
  what: string,
  fits: (node: NixNode) => boolean,
  withinMs = 30_000,
): Promise<NixNode> {
  let last: NixNode | undefined;
  const ask = async () => {
    last = await getNode(cluster, name);
    return last.status?.observedGeneration === last.metadata.generation && fits(last) ? last : undefined;
  };
  return waitFor(`${name}: ${what}`, ask, { withinMs, everyMs: 200, otherwise: () => last?.status });
}

export const isReady = (node: NixNode): boolean => conditionOf(node, 'Ready')?.status === 'True';

/** Whether the host itself is as it should be; its Node may be another matter, where no kubelet runs. */
export const isDeployed = (node: NixNode): boolean =>
  isReady(node) || ['WaitingForNode', 'NodeNotReady'].includes(conditionOf(node, 'Ready')?.reason ?? '');

export const isStalled =
  (reason: string) =>
  (node: NixNode): boolean =>
    conditionOf(node, 'Stalled')?.status === 'True' && conditionOf(node, 'Ready')?.reason === reason;

/** NixNodes as tests write them, and what kubectl says of them. */
import { stringify } from 'yaml';
import type { NixNode } from '../../crds/index.ts';
import type { TestCluster } from './cluster.ts';
import { rawApi } from './firn-api.ts';
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
}

/** What the API server has; throws where it has none. Not with kubectl, which costs more than the question. */
export async function getNode(cluster: TestCluster, name: string): Promise<NixNode> {
  await using api = rawApi(cluster);
  const path = `/apis/firn.dev/v1alpha1/namespaces/${namespace}/nixnodes/${name}`;
  const { status, body } = await api.send('GET', path);
  if (status !== 200) throw new Error(`GET ${path}: ${status} ${body.message}`);
  return body as unknown as NixNode;
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

export const isStalled =
  (reason: string) =>
  (node: NixNode): boolean =>
    conditionOf(node, 'Stalled')?.status === 'True' && conditionOf(node, 'Ready')?.reason === reason;

/** How the operator gets into a cluster: over which hosts, and by whose authority. */
import { ClusterPKI, type NixCluster, type NixNode } from '../../crds/index.ts';
import { type AuthorityMaterial, authorityMaterial } from '../clusterpki/material.ts';
import type { AuthorityName } from '../clusterpki/policies/policy.ts';
import { ReconcileError } from '../lib/core/outcome.ts';
import { several } from '../lib/core/several.ts';
import { SecretKind } from '../lib/kube/core-kinds.ts';
import type { Reader } from '../lib/runtime/controller.ts';
import type { ControlPlaneHost, TargetAccess, Way } from '../lib/target/access.ts';
import type { EtcdAccess } from '../lib/target/etcd.ts';
import { targetOf } from '../nixnode/login.ts';
import { heldUpBy } from '../nixnode/membership.ts';
import { apiPort } from './control-planes.ts';
import { byName } from './members.ts';
import { nodesIn, pkiOf } from './relations.ts';

/**
 * For whoever declares NixCluster, NixNode, ClusterPKI and `referenced(SecretKind, …)`. Throws `waiting` or `progressing`,
 * in words, while there is no way in.
 */
export async function targetAccess(cluster: NixCluster, read: Reader): Promise<TargetAccess> {
  const { namespace = '', name, uid } = cluster.metadata;
  const nodes = nodesIn(cluster, read).filter(({ spec }) => spec.roles.includes('control-plane'));
  const logins = await Promise.all(inOrder(nodes).map((node) => loginOf(node, read)));
  const hosts = logins.flatMap((login) => ('problem' in login ? [] : [login]));
  const leaving = new Set(nodes.filter(isLeaving).map(({ metadata }) => metadata.name));
  const ways = waysOf(
    cluster,
    hosts.filter(({ node }) => !leaving.has(node)),
  );
  if (ways.length === 0) throw noWay(logins.flatMap((login) => ('problem' in login ? [login] : [])));
  const authority = await authorityOf(cluster, read);
  return { key: uid, cluster: `${namespace}/${name}`, ways, hosts, authority };
}

/** The same for its etcd, of which every member is asked for itself. */
export async function etcdAccess(
  cluster: NixCluster,
  nodes: readonly NixNode[],
  read: Reader,
): Promise<EtcdAccess> {
  const logins = await Promise.all(nodes.map((node) => loginOf(node, read)));
  const hosts = logins.flatMap((login) => ('problem' in login ? [] : [login]));
  return { key: cluster.metadata.uid, hosts, authority: await authorityOf(cluster, read, 'etcd') };
}

const isLeaving = ({ metadata }: NixNode): boolean => metadata.deletionTimestamp !== undefined;

/** Those first that are known to be well. */
function inOrder(nodes: readonly NixNode[]): NixNode[] {
  const rank = ({ status }: NixNode): number => {
    const isTrue = (type: string) =>
      status?.conditions?.some((condition) => condition.type === type && condition.status === 'True');
    if (isTrue('Ready')) return 0;
    return isTrue('Reachable') ? 1 : 2;
  };
  return [...nodes].sort((a, b) => rank(a) - rank(b) || byName(a.metadata, b.metadata));
}

type Login = ControlPlaneHost | { node: string; problem: string };

/** What is wrong with the login of one node is no reason not to use another one. */
async function loginOf(node: NixNode, read: Reader): Promise<Login> {
  const { namespace = '', name } = node.metadata;
  const { keyRef, jump } = node.spec.ssh;
  try {
    const key = await read.load(SecretKind, namespace, keyRef.name);
    const jumpKey = jump && (await read.load(SecretKind, namespace, jump.keyRef.name));
    const target = targetOf(node, { key, jumpKey });
    // The first key that is seen is for the nixnode controller to pin.
    const isPinned = !target.trustFirstKey || target.hostKeys.length > 0;
    return isPinned ? { node: name, target } : { node: name, problem: 'its host key is not pinned yet' };
  } catch (error) {
    if (error instanceof ReconcileError) return { node: name, problem: error.message };
    throw error;
  }
}

function waysOf({ spec }: NixCluster, hosts: readonly ControlPlaneHost[]): Way[] {
  if (spec.access === 'Direct') return [{ kind: 'Direct', ...spec.endpoint }];
  return hosts.map(({ node, target }) => ({
    kind: 'SSH',
    node,
    target,
    address: '127.0.0.1',
    port: apiPort,
  }));
}

function noWay(problems: readonly { node: string; problem: string }[]): ReconcileError {
  const said = problems.map(({ node, problem }) => `${node} (${problem})`).sort();
  const message =
    said.length > 0
      ? `the API is reached through control-plane nodes, and none can be logged in to: ${several(said, '; ')}`
      : 'no NixNode with the role control-plane belongs to it: set spec.roles of one';
  return new ReconcileError('waiting', 'NoControlPlane', message);
}

/** For those who watch a cluster: what could not be done while its API was away is done when it is back. */
export const apiAvailability = ({ status }: NixCluster): string | undefined =>
  status?.conditions?.find(({ type }) => type === 'ApiAvailable')?.status;

/** Who signs there. Throws while that is not there. */
export async function authorityOf(
  cluster: NixCluster,
  read: Reader,
  authority: AuthorityName = 'cluster',
): Promise<AuthorityMaterial> {
  const namespace = cluster.metadata.namespace ?? '';
  const name = pkiOf(cluster);
  const pki = read.get(ClusterPKI, namespace, name);
  const secretName = pki?.status?.authorities?.find((one) => one.name === authority)?.secretName;
  if (!secretName) {
    const { verdict, message } = pki
      ? heldUpBy(pki, 'makes authorities and keys first')
      : ({ verdict: 'waiting', message: `ClusterPKI ${name} is not there yet: keys come from it` } as const);
    throw new ReconcileError(verdict, 'WaitingForPKI', message);
  }
  return authorityMaterial(await read.load(SecretKind, namespace, secretName));
}

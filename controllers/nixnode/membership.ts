/** What a node's cluster consists of, as far as its host must know. Reads the cache; decides nothing. */
import {
  type ClusterFrontend,
  type ClusterNode,
  ClusterPKI,
  NixCluster,
  type NixNode,
  WireguardMesh,
} from '../../crds/index.ts';
import { placementOn } from '../clusterfrontend/placement.ts';
import { frontendsNaming } from '../clusterfrontend/sources.ts';
import { type Material, materialOf } from '../clusterpki/material.ts';
import { ReconcileError } from '../lib/core/outcome.ts';
import type { Sealed } from '../lib/core/sealed.ts';
import { type Secret, SecretKind } from '../lib/kube/core-kinds.ts';
import type { Reader } from '../lib/runtime/controller.ts';
import { pkiOf } from '../nixcluster/relations.ts';
import { type PeersFile, peersFile } from '../wireguardmesh/peers.ts';
import { secretKey } from '../wireguardmesh/preshared.ts';
import { meshSecretOf, pkiSecretsOf } from './cluster-sources.ts';

export type Mesh = {
  object: WireguardMesh;
  /** What the node's host is told of the others; undefined while the mesh does not know it, or its own keys. */
  peers: PeersFile | undefined;
  /** What preshared keys are derived from; null in a mesh without. */
  secret: Sealed<Uint8Array> | null;
};

export type Membership = {
  cluster: NixCluster;
  /** This node's place in it. */
  place: ClusterNode;
  mesh: Mesh | null;
  pki: { object: ClusterPKI; material: Material };
  /** What it serves, where it has the role. */
  frontends: readonly ClusterFrontend[];
};

/** Null for a node of no cluster. Throws `waiting` or `progressing` while something of the cluster is not there yet. */
export async function membershipOf(node: NixNode, read: Reader): Promise<Membership | null> {
  if (node.spec.clusterRef === undefined) return null;
  const namespace = node.metadata.namespace ?? '';
  const cluster = read.require(NixCluster, namespace, node.spec.clusterRef.name);
  const place = cluster.status?.nodes?.find(({ name }) => name === node.metadata.name);
  if (!place) {
    const { verdict, message } = heldUpBy(cluster, 'gives the node its number first');
    throw new ReconcileError(verdict, 'WaitingForIndex', message, { recheckMs });
  }
  const mesh = await meshOf(cluster, node.metadata.name, read);
  const frontends = node.spec.roles.includes('frontend') ? frontendsNaming(cluster, read) : [];
  const { served } = placementOn(node, frontends);
  return { cluster, place, mesh, pki: await pki(cluster, read), frontends: served };
}

async function meshOf(cluster: NixCluster, self: string, read: Reader): Promise<Mesh | null> {
  const { meshRef } = cluster.spec.network;
  if (!meshRef) return null;
  const namespace = cluster.metadata.namespace ?? '';
  const object = read.require(WireguardMesh, namespace, meshRef.name);
  const peers = peersFile(object, cluster, self);
  if (!object.spec.presharedKeys) return { object, peers, secret: null };
  const secretName = meshSecretOf(object);
  if (secretName === undefined) {
    const { verdict, message } = heldUpBy(object, 'makes its secret first');
    throw new ReconcileError(verdict, 'WaitingForMesh', message, { recheckMs });
  }
  const secret = await read.load(SecretKind, namespace, secretName);
  return { object, peers, secret: seedOf(secret) };
}

function seedOf(secret: Secret): Sealed<Uint8Array> {
  const seed = secret.data[secretKey];
  if (seed) return seed;
  const message = `Secret ${secret.metadata.name} has no key ${secretKey}, from which preshared keys are derived; put the former one back`;
  throw new ReconcileError('waiting', 'MeshSecretIncomplete', message);
}

async function pki(cluster: NixCluster, read: Reader): Promise<Membership['pki']> {
  const namespace = cluster.metadata.namespace ?? '';
  const name = pkiOf(cluster);
  const object = read.get(ClusterPKI, namespace, name);
  const names = object && pkiSecretsOf(object);
  if (!names) {
    const { verdict, message } = object
      ? heldUpBy(object, 'makes authorities and keys first')
      : ({ verdict: 'waiting', message: `ClusterPKI ${name} is not there yet: keys come from it` } as const);
    throw new ReconcileError(verdict, 'WaitingForPKI', message, { recheckMs });
  }
  const load = (secret: string) => read.load(SecretKind, namespace, secret);
  const [clusterCa, etcd, frontProxy, serviceAccount, encryption] = await Promise.all([
    load(names.cluster),
    load(names.etcd),
    load(names.frontProxy),
    load(names.serviceAccount),
    load(names.encryption),
  ]);
  const material = materialOf({ cluster: clusterCa, etcd, frontProxy, serviceAccount, encryption });
  return { object, material };
}

type Conditioned = {
  kind: string;
  metadata: { name: string };
  status?: { conditions?: { type: string; status: string; message: string }[] | undefined } | undefined;
};

/** A watch wakes the node sooner. */
const recheckMs = 60_000;

/** All is well as long as the object that is waited for is not held up by something itself: then its words are ours. */
export function heldUpBy(
  { kind, metadata, status }: Conditioned,
  what: string,
): { verdict: 'waiting' | 'progressing'; message: string } {
  const find = (type: string) => status?.conditions?.find((condition) => condition.type === type);
  const ready = find('Ready');
  const said = ready?.status === 'False' && ready.message ? `: ${ready.message}` : '';
  const verdict = find('Stalled')?.status === 'True' ? 'waiting' : 'progressing';
  return { verdict, message: `${kind} ${metadata.name} ${what}${said}` };
}

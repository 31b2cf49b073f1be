import { Sealed } from '../controllers/lib/core/sealed.ts';
import { readPrivateKey } from '../controllers/lib/host/keys.ts';
import type { ConfigMap, Secret } from '../controllers/lib/kube/core-kinds.ts';
import { lockedFromPin } from '../controllers/lib/nix/flake-lock.ts';
import type { Tree } from '../controllers/lib/nix/tree.ts';
import { type Content, desiredRelease } from '../controllers/nixnode/desired.ts';
import { kubernetesRecord } from '../controllers/nixnode/kubernetes-packages.ts';
import { loginOf } from '../controllers/nixnode/login.ts';
import type { MemberParts } from '../controllers/nixnode/member.ts';
import { memberValues } from '../controllers/nixnode/member-values.ts';
import { pinOf, type Wanted } from '../controllers/nixnode/pin.ts';
import type { NixCluster, NixModule, NixNode, WireguardMesh } from '../crds/index.ts';
import type { Bundle } from './bundle-output.ts';
import { CliError } from './command.ts';

export type NodeParts = {
  node: NixNode;
  modules: readonly NixModule[];
  configMaps: readonly ConfigMap[];
  /** Of the login; absent where it is not to be had, and then its public half is missing in the result. */
  key: Secret | undefined;
  /** Its cluster and the mesh of that; absent where there is none, or where it is not to be had. */
  cluster: NixCluster | undefined;
  mesh: WireguardMesh | undefined;
};

/** The system part of a node's release; of what is not known yet, `notes` says so. Pure. */
export function renderNode(parts: NodeParts, firnModules: Tree): Bundle {
  const { node, modules, key } = parts;
  const notes: string[] = [];
  const wanted = node.spec.nixpkgs ?? clusterOf(parts).spec.nixpkgs;
  const locked = lockedOf(parts, wanted, notes);
  const desired = desiredRelease({
    node,
    modules,
    nixpkgs: { url: wanted.url, locked: locked ?? unresolved(wanted.url) },
    member: memberOf(parts),
    content: contentOf(parts),
    system: systemOf(node, notes),
    authorizedKeys: authorizedKeysOf(node, key, notes),
    firnModules,
    // Names the set of secrets, of which nothing is rendered here.
    hmacKey: new Sealed<Uint8Array>(new Uint8Array(32)),
  });
  const tree = new Map(desired.tree('system'));
  if (locked === null) tree.delete('flake.lock');
  else if (notes.length === 0) notes.push(`system ${desired.parts.system}`);
  return { name: node.metadata.name, tree, notes };
}

/** Takes the place of what only a host can find out; the file that it goes into is left out. */
function unresolved(url: string): unknown {
  const narHash = `sha256-${'A'.repeat(43)}=`;
  return lockedFromPin(url, { narHash }) ?? lockedFromPin(url, { narHash, rev: '0'.repeat(40) });
}

/** Throws `CliError`. */
function clusterOf({ node, cluster }: NodeParts): NixCluster {
  if (cluster) return cluster;
  throw new CliError(
    `NixCluster ${node.spec.clusterRef?.name}, which NixNode ${node.metadata.name} is a member of, is not there`,
  );
}

/** Of its place in the cluster, what the system is told; what comes beside the system is left out. */
function memberOf(parts: NodeParts): MemberParts | null {
  const { node, mesh } = parts;
  if (!node.spec.clusterRef) return null;
  const cluster = clusterOf(parts);
  const place = cluster.status?.nodes?.find(({ name }) => name === node.metadata.name);
  if (!place) {
    throw new CliError(
      `NixCluster ${cluster.metadata.name} has not given ${node.metadata.name} a number yet, from which its addresses follow; manifests need the status that the operator wrote: render from the cluster, without -f`,
    );
  }
  const values = memberValues(node, cluster, place, mesh ?? null);
  const kubernetes = kubernetesRecord(cluster, place, {});
  return { values, data: new Map(), files: [], make: async () => new Map(), kubernetes, record: {} };
}

function lockedOf({ node, cluster }: NodeParts, wanted: Wanted, notes: string[]): unknown {
  const kept = [node.spec.nixpkgs ? undefined : cluster?.status?.nixpkgs, node.status?.nixpkgs];
  const pin = pinOf(wanted, kept, { resolve: null, time: 0 });
  if (pin.state === 'known') return pin.locked;
  notes.push(`flake.lock is left out: a host has yet to resolve ${wanted.url}`);
  return null;
}

function systemOf(node: NixNode, notes: string[]): string {
  const known = node.spec.system ?? node.status?.facts?.system;
  if (known !== undefined) return known;
  notes.push('spec.system is not set, and the host was not asked: x86_64-linux is assumed');
  return 'x86_64-linux';
}

function authorizedKeysOf(node: NixNode, key: Secret | undefined, notes: string[]): string[] {
  const { name } = node.spec.ssh.keyRef;
  try {
    if (key !== undefined) return loginOf(node, { key }, readPrivateKey).authorizedKeys;
    notes.push(`Secret ${name} is not there: the operator's public key is left out`);
  } catch (error) {
    notes.push(`${(error as Error).message}: the operator's public key is left out`);
  }
  return [];
}

function contentOf({ configMaps }: NodeParts): Content {
  return {
    configMap(name, key) {
      const map = configMaps.find(({ metadata }) => metadata.name === name);
      const content = map?.content[key];
      if (content === undefined) {
        const problem = map ? `ConfigMap ${name} has no key ${key}` : `ConfigMap ${name} is not there`;
        throw new CliError(`${problem}, and a module is to be read from it`);
      }
      return content();
    },
    // Files come beside the system: their content makes no difference to it.
    secret: () => new Sealed<Uint8Array>(new Uint8Array()),
  };
}

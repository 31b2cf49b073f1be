import { Sealed } from '../controllers/lib/core/sealed.ts';
import { readPrivateKey } from '../controllers/lib/host/keys.ts';
import type { ConfigMap, Secret } from '../controllers/lib/kube/core-kinds.ts';
import { lockedFromPin } from '../controllers/lib/nix/flake-lock.ts';
import type { Tree } from '../controllers/lib/nix/tree.ts';
import { type Content, desiredRelease } from '../controllers/nixnode/desired.ts';
import { loginOf } from '../controllers/nixnode/login.ts';
import { pinOf } from '../controllers/nixnode/pin.ts';
import type { NixModule, NixNode } from '../crds/index.ts';
import type { Bundle } from './bundle-output.ts';
import { CliError } from './command.ts';

export type NodeParts = {
  node: NixNode;
  modules: readonly NixModule[];
  configMaps: readonly ConfigMap[];
  /** Of the login; absent where it is not to be had, and then its public half is missing in the result. */
  key: Secret | undefined;
};

/** The system part of a node's release; of what is not known yet, `notes` says so. Pure. */
export function renderNode(parts: NodeParts, firnModules: Tree): Bundle {
  const { node, modules, key } = parts;
  const notes: string[] = [];
  const locked = lockedOf(node, notes);
  const desired = desiredRelease({
    node,
    modules,
    nixpkgs: { url: node.spec.nixpkgs!.url, locked: locked ?? unresolved(node.spec.nixpkgs!.url) },
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

function lockedOf(node: NixNode, notes: string[]): unknown {
  const pin = pinOf(node, { resolve: null, time: 0 });
  if (pin.state === 'known') return pin.locked;
  notes.push(`flake.lock is left out: a host has yet to resolve ${node.spec.nixpkgs!.url}`);
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

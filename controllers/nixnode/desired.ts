/** From what users wrote to the release that a host should run. Pure: all that is read comes as an argument. */
import type { DeliveredFile, NixModule, NixModuleSource, NixNode } from '../../crds/index.ts';
import { ReconcileError } from '../lib/core/outcome.ts';
import { Sealed } from '../lib/core/sealed.ts';
import type { Parts } from '../lib/host/protocol.ts';
import { nodeModulePriority, renderBundle, type UserModule } from '../lib/nix/bundle.ts';
import { describeImpurity, findImpurities } from '../lib/nix/impure.ts';
import {
  dataTree,
  type DeliveredFile as FileContent,
  type Placement,
  releaseId,
  secretsPartHash,
  secretsTree,
} from '../lib/nix/release.ts';
import { hashTree, type Tree } from '../lib/nix/tree.ts';
import { packageSources } from './kubernetes-packages.ts';
import type { ReleaseRecord } from './manifest.ts';
import type { MemberParts } from './member.ts';
import { modulesOf } from './sources.ts';

/** Content of ConfigMaps and Secrets of the node's namespace. Throws `waiting` where an object or a key is absent. */
export type Content = {
  configMap(name: string, key: string): Uint8Array;
  secret(name: string, key: string): Sealed<Uint8Array>;
};

export type DesiredInput = {
  node: NixNode;
  /** Those of the node's namespace; others than the selected ones are ignored. */
  modules: readonly NixModule[];
  content: Content;
  /** As Nix names it. */
  system: string;
  nixpkgs: { url: string; refresh?: string; locked: unknown };
  /** Its place in a cluster; null for a node of none. */
  member: MemberParts | null;
  /** Public keys that may log in as the operator, as in authorized_keys(5). */
  authorizedKeys: readonly string[];
  firnModules: Tree;
  /** Names sets of secrets; the installation's own. */
  hmacKey: Sealed<Uint8Array>;
};

export type Desired = {
  id: string;
  parts: Parts;
  /** The files of a part. */
  tree(part: 'system' | 'data'): Tree;
  /** The same of the secrets, in the clear, into a payload and nowhere else. Makes the keys that the host does not have. */
  secrets(): Promise<Tree>;
  /** What the release's manifest is to say of it. */
  record: ReleaseRecord;
  /** What in the modules cannot work in a flake, a line each: it explains an evaluation that failed. */
  hints(): string[];
};

/** Throws `ReconcileError` where something is missing or cannot be rendered. */
export function desiredRelease(input: DesiredInput): Desired {
  const { node, content, member, nixpkgs } = input;
  const shared = modulesOf(node, input.modules);
  const own = [...shared, node].flatMap((object) => object.spec.files.map((file) => read(file, content)));
  const files = [...own, ...(member?.files ?? [])];
  const userModules = [
    ...shared.map((module) => sharedModule(module, content)),
    ...ownModules(node, content),
  ];
  const system = renderBundle({
    system: input.system,
    hostName: node.metadata.name,
    stateVersion: node.spec.stateVersion,
    nixpkgs,
    ...(member && { firn: member.values, packages: packageSources(member.kubernetes, nixpkgs) }),
    ssh: { user: node.spec.ssh.user, port: node.spec.ssh.port, authorizedKeys: input.authorizedKeys },
    modules: userModules,
    firnModules: input.firnModules,
  });
  const data = member?.data ?? dataTree({ hosts: [] });
  const parts = {
    system: hashTree(system),
    data: hashTree(data),
    secrets: secretsPartHash(input.hmacKey, files),
  };
  const { url, refresh, locked } = nixpkgs;
  return {
    id: releaseId(parts),
    parts,
    tree: (part) => ({ system, data })[part],
    secrets: async () => secretsTree(files, await member?.make()),
    record: {
      ...member?.record,
      layout: layoutOf(files),
      nixpkgs: { url, ...(refresh !== undefined && { refresh }), locked: JSON.stringify(locked) },
    },
    hints: () => userModules.flatMap(hintsOf),
  };
}

/** Of a file's place, owner and units; not of its content. */
const layoutOf = (files: readonly Placement[]): string =>
  hashTree(new Map([['files', JSON.stringify(files.map(placementOf).sort())]]));
const placementOf = ({ path, mode, owner, group, restartUnits, reloadUnits }: Placement): string =>
  JSON.stringify([path, mode, owner, group, restartUnits, reloadUnits]);

const hintsOf = ({ kind, name, text }: UserModule): string[] =>
  findImpurities(text).map((impurity) => describeImpurity(`${kind} ${name}`, impurity));

const sharedModule = (module: NixModule, content: Content): UserModule => ({
  kind: 'NixModule',
  name: module.metadata.name,
  priority: module.spec.priority,
  ...textOf(module.spec as NixModuleSource, content),
});

const ownModules = (node: NixNode, content: Content): UserModule[] =>
  node.spec.modules.map((source, position) => ({
    kind: 'NixNode',
    name: node.metadata.name,
    priority: nodeModulePriority + position,
    ...textOf(source, content),
  }));

function textOf(source: NixModuleSource, content: Content): { text: string; key?: string } {
  if (source.inline !== undefined) return { text: source.inline };
  const { name, key } = source.configMapRef!;
  const text = decode(content.configMap(name, key));
  if (text === undefined) {
    throw new ReconcileError(
      'terminal',
      'InvalidModule',
      `key ${key} of ConfigMap ${name} is not UTF-8 text; put a NixOS module there`,
    );
  }
  return { text, key };
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function read(file: DeliveredFile, content: Content): FileContent {
  const { path, owner, group, restartUnits, reloadUnits } = file;
  return {
    path,
    owner,
    group,
    restartUnits,
    reloadUnits,
    mode: Number.parseInt(file.mode, 8),
    content: file.secretRef
      ? content.secret(file.secretRef.name, file.secretRef.key)
      : new Sealed(content.configMap(file.configMapRef!.name, file.configMapRef!.key)),
  };
}

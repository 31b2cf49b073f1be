/** Which other objects a NixNode is made of: its NixModules, and the ConfigMaps and Secrets that both name. */
import { type DeliveredFile, NixModule, type NixModuleSource, NixNode, selects } from '../../crds/index.ts';
import type { CacheReader, Index, ObjectKey } from '../lib/runtime/controller.ts';

/** The NixModules of the node's namespace whose selector matches it, in no particular order. */
export function modulesOf(node: NixNode, all: readonly NixModule[]): NixModule[] {
  const labels = node.metadata.labels ?? {};
  return all.filter((module) => selects(module.spec.nodeSelector, labels));
}

type Referring = { modules: readonly NixModuleSource[]; files: readonly DeliveredFile[] };

const referring = (object: NixNode | NixModule): Referring =>
  'ssh' in object.spec
    ? { modules: object.spec.modules, files: object.spec.files }
    : { modules: [object.spec as NixModuleSource], files: object.spec.files };

/** Names of ConfigMaps, each once. */
export function configMapNames(object: NixNode | NixModule): Set<string> {
  const { modules, files } = referring(object);
  const references = [...modules, ...files].map((source) => source.configMapRef?.name);
  return new Set(references.filter((name) => name !== undefined));
}

/** Names of the Secrets whose content is delivered, each once. */
export function fileSecretNames(object: NixNode | NixModule): Set<string> {
  const references = object.spec.files.map((file) => file.secretRef?.name);
  return new Set(references.filter((name) => name !== undefined));
}

/** Names of all Secrets: those above, and the keys with which the operator logs in. */
export function secretNames(node: NixNode): Set<string> {
  const { keyRef, jump } = node.spec.ssh;
  return new Set([...fileSecretNames(node), keyRef.name, ...(jump ? [jump.keyRef.name] : [])]);
}

const nodesByConfigMap: Index<NixNode> = { kind: NixNode, valuesOf: configMapNames };
const nodesBySecret: Index<NixNode> = { kind: NixNode, valuesOf: secretNames };
const modulesByConfigMap: Index<NixModule> = { kind: NixModule, valuesOf: configMapNames };
const modulesBySecret: Index<NixModule> = { kind: NixModule, valuesOf: fileSecretNames };

type Named = { metadata: { name: string; namespace?: string } };
const keyOf = ({ metadata }: Named): ObjectKey => ({
  namespace: metadata.namespace ?? '',
  name: metadata.name,
});

/** NixNodes to wake when a NixModule changes. */
export const nodesOfModule = (module: NixModule, read: CacheReader): ObjectKey[] =>
  read
    .list(NixNode, module.metadata.namespace ?? '')
    .filter((node) => modulesOf(node, [module]).length > 0)
    .map(keyOf);

/** NixNodes to wake when a ConfigMap changes. */
export const nodesOfConfigMap = (map: Named, read: CacheReader): ObjectKey[] =>
  nodesUsing(map, read, nodesByConfigMap, modulesByConfigMap);

/** NixNodes to wake when a Secret changes. */
export const nodesOfSecret = (secret: Named, read: CacheReader): ObjectKey[] =>
  nodesUsing(secret, read, nodesBySecret, modulesBySecret);

function nodesUsing(
  used: Named,
  read: CacheReader,
  nodes: Index<NixNode>,
  modules: Index<NixModule>,
): ObjectKey[] {
  const { namespace, name } = keyOf(used);
  const direct = read.by(nodes, namespace, name).map(keyOf);
  const throughModules = read.by(modules, namespace, name).flatMap((module) => nodesOfModule(module, read));
  return [...direct, ...throughModules];
}

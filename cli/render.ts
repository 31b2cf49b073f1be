import { readFileSync } from 'node:fs';
import {
  type ConfigMap,
  ConfigMapKind,
  type Secret,
  SecretKind,
} from '../controllers/lib/kube/core-kinds.ts';
import { isNotFound, KubeError } from '../controllers/lib/kube/kube-error.ts';
import { readFirnModules } from '../controllers/lib/nix/modules.ts';
import { configMapNames, modulesOf } from '../controllers/nixnode/sources.ts';
import {
  type KubeObject,
  NixCluster,
  NixModule,
  type NixNode,
  type ResourceKind,
  WireguardMesh,
} from '../crds/index.ts';
import type { Bundle } from './bundle-output.ts';
import type { clusterOptions } from './cluster-options.ts';
import { CliError, type Values } from './command.ts';
import { type Connection, connect, getNode } from './connect.ts';
import { type Manifests, parseManifests } from './manifests.ts';
import { renderNode } from './render-node.ts';

/** The nodes of manifests, or the one that is named. Talks to nobody. */
export function renderFromFiles(files: readonly string[], name: string | undefined): Bundle[] {
  const all = files.map((file) => parseManifests(readText(file), file));
  const merged: Manifests = {
    nodes: all.flatMap(({ nodes }) => nodes),
    modules: all.flatMap(({ modules }) => modules),
    clusters: all.flatMap(({ clusters }) => clusters),
    meshes: all.flatMap(({ meshes }) => meshes),
    configMaps: all.flatMap(({ configMaps }) => configMaps),
    secrets: all.flatMap(({ secrets }) => secrets),
  };
  const nodes = merged.nodes.filter(({ metadata }) => name === undefined || metadata.name === name);
  if (nodes.length === 0) {
    throw new CliError(
      name === undefined ? 'the manifests hold no NixNode' : `the manifests hold no NixNode ${name}`,
    );
  }
  const firnModules = readFirnModules();
  return nodes.map((node) => {
    const beside = <O extends { metadata: { namespace?: string } }>(objects: readonly O[]): O[] =>
      objects.filter(({ metadata }) => metadata.namespace === node.metadata.namespace);
    const called = <O extends { metadata: { name: string } }>(objects: O[], of: string | undefined) =>
      objects.find(({ metadata }) => metadata.name === of);
    const cluster = called(beside(merged.clusters), node.spec.clusterRef?.name);
    const parts = {
      node,
      modules: beside(merged.modules),
      configMaps: beside(merged.configMaps),
      key: called(beside(merged.secrets), node.spec.ssh.keyRef.name),
      cluster,
      mesh: called(beside(merged.meshes), cluster?.spec.network.meshRef?.name),
    };
    return renderNode(parts, firnModules);
  });
}

function readText(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new CliError(`cannot read ${file}: ${(error as NodeJS.ErrnoException).code}`);
  }
}

/** A node as the cluster has it. Of Secrets only that of the login is read, for its public half. */
export async function renderFromCluster(
  options: Values<typeof clusterOptions>,
  name: string,
  signal: AbortSignal,
): Promise<Bundle> {
  await using connection = connect(options);
  const node = await getNode(connection, name, signal);
  const modules = modulesOf(node, await listModules(connection, signal));
  const cluster = await readOne(connection, NixCluster, node.spec.clusterRef?.name, signal);
  const parts = {
    node,
    modules,
    configMaps: await readConfigMaps(connection, [node, ...modules], signal),
    key: await readKey(connection, node, signal),
    cluster,
    mesh: await readOne(connection, WireguardMesh, cluster?.spec.network.meshRef?.name, signal),
  };
  return renderNode(parts, readFirnModules());
}

async function listModules({ client, namespace }: Connection, signal: AbortSignal): Promise<NixModule[]> {
  const modules: NixModule[] = [];
  for (let next = '', page = 0; page < 100; page++) {
    const list = await client.list(NixModule, {
      namespace,
      limit: 500,
      continue: next,
      signal,
      deadlineMs: 30_000,
    });
    modules.push(...list.items.map((item) => NixModule.parse(item)));
    next = list.continue;
    if (next === '') break;
  }
  return modules;
}

/** Those that are not there are missed where their content is needed, by name. */
async function readConfigMaps(
  connection: Connection,
  objects: readonly (NixNode | NixModule)[],
  signal: AbortSignal,
): Promise<ConfigMap[]> {
  const names = new Set(objects.flatMap((object) => [...configMapNames(object)]));
  const read = [...names].map((name) => readOne(connection, ConfigMapKind, name, signal));
  return (await Promise.all(read)).filter((map) => map !== undefined);
}

async function readOne<O extends KubeObject>(
  { client, namespace }: Connection,
  kind: ResourceKind<O>,
  name: string | undefined,
  signal: AbortSignal,
): Promise<O | undefined> {
  if (name === undefined) return undefined;
  try {
    return kind.parse(await client.get(kind, { namespace, name }, { signal, deadlineMs: 15_000 }));
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** Who may not read Secrets can still see everything else. */
async function readKey(
  { client, namespace }: Connection,
  node: NixNode,
  signal: AbortSignal,
): Promise<Secret | undefined> {
  const { name } = node.spec.ssh.keyRef;
  try {
    return SecretKind.parse(
      await client.get(SecretKind, { namespace, name }, { signal, deadlineMs: 15_000 }),
    );
  } catch (error) {
    if (error instanceof KubeError && (error.status === 403 || error.status === 404)) return undefined;
    throw error;
  }
}

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'yaml';
import type { Applied, Kind, KubeClient } from '../controllers/lib/kube/client.ts';
import { isConflict } from '../controllers/lib/kube/kube-error.ts';
import type { KubeObject } from '../crds/resource.ts';
import { CliError } from './command.ts';

const fieldManager = 'firn-install';
const establishedMs = 30_000;

const asItIs = (raw: unknown): KubeObject => raw as KubeObject;
const definitionKind: Kind = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  namespaced: false,
  parse: asItIs,
};
const namespaceKind: Kind = {
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  namespaced: false,
  parse: asItIs,
};

/** Makes the cluster know our kinds, and the operator's namespace. Returns the kinds' plural names. */
export async function install(client: KubeClient, namespace: string, signal: AbortSignal): Promise<string[]> {
  const definitions = readDefinitions();
  const options = { fieldManager, signal, deadlineMs: 15_000 };
  for (const definition of definitions) await client.apply(definitionKind, definition, options);
  await ensureNamespace(client, namespace, signal);
  for (const { metadata } of definitions) await waitUntilServed(client, metadata.name, signal);
  return definitions.map(({ metadata }) => metadata.name.split('.', 1)[0]!);
}

function readDefinitions(): Applied[] {
  const folder = join(import.meta.dirname, '../crds/generated');
  return readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => parse(readFileSync(join(folder, name), 'utf8')) as Applied);
}

async function ensureNamespace(client: KubeClient, name: string, signal: AbortSignal): Promise<void> {
  try {
    await client.create(namespaceKind, { metadata: { namespace: '', name } }, { signal, deadlineMs: 15_000 });
  } catch (error) {
    if (!isConflict(error)) throw error;
  }
}

/** Established: the API server accepts objects of the kind. It takes a fraction of a second. */
async function waitUntilServed(client: KubeClient, name: string, signal: AbortSignal): Promise<void> {
  const until = Date.now() + establishedMs;
  for (;;) {
    const definition = await client.get(
      definitionKind,
      { namespace: '', name },
      { signal, deadlineMs: 5_000 },
    );
    const { conditions = [] } = (definition.status ?? {}) as {
      conditions?: { type: string; status: string }[];
    };
    if (conditions.some(({ type, status }) => type === 'Established' && status === 'True')) return;
    if (Date.now() > until) {
      throw new CliError(`the cluster does not serve ${name} after ${establishedMs / 1000} s`);
    }
    await sleep(50, undefined, { signal });
  }
}

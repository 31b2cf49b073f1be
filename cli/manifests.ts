import { parseAllDocuments } from 'yaml';
import {
  type ConfigMap,
  ConfigMapKind,
  type Secret,
  SecretKind,
} from '../controllers/lib/kube/core-kinds.ts';
import {
  type KubeObject,
  NixCluster,
  NixModule,
  NixNode,
  type ResourceKind,
  WireguardMesh,
} from '../crds/index.ts';
import { CliError } from './command.ts';

export type Manifests = {
  nodes: NixNode[];
  modules: NixModule[];
  clusters: NixCluster[];
  meshes: WireguardMesh[];
  configMaps: ConfigMap[];
  secrets: Secret[];
};

/** What a server would have added; nothing that is rendered depends on it. */
const asIfStored = { uid: '00000000-0000-0000-0000-000000000000', resourceVersion: '0' };

/** Reads YAML documents of our kinds, ConfigMaps and Secrets; others are skipped. `file` is for messages. Pure. */
export function parseManifests(text: string, file: string): Manifests {
  const found: Manifests = {
    nodes: [],
    modules: [],
    clusters: [],
    meshes: [],
    configMaps: [],
    secrets: [],
  };
  for (const document of parseAllDocuments(text)) {
    if (!('errors' in document)) continue;
    const [error] = document.errors;
    if (error !== undefined) throw new CliError(`${file}: ${error.message}`);
    for (const raw of itemsOf(document.toJS({ maxAliasCount: 100 }))) add(raw, file, found);
  }
  return found;
}

type Raw = Partial<KubeObject> & { [field: string]: unknown };

/** A `List`, as kubectl prints several objects, is taken apart. */
function itemsOf(document: unknown): Raw[] {
  if (typeof document !== 'object' || document === null) return [];
  const { kind, items } = document as { kind?: unknown; items?: unknown };
  return kind === 'List' && Array.isArray(items) ? (items as Raw[]) : [document as Raw];
}

function add(raw: Raw, file: string, found: Manifests): void {
  const read = <T extends KubeObject>(kind: ResourceKind<T>, object: Raw = raw): T => {
    const metadata = { namespace: 'default', ...asIfStored, ...raw.metadata };
    try {
      return kind.parse({ ...object, metadata });
    } catch (error) {
      throw new CliError(`${file}: ${raw.kind} ${raw.metadata?.name ?? '?'}: ${(error as Error).message}`);
    }
  };
  switch (`${raw.apiVersion} ${raw.kind}`) {
    case 'firn.dev/v1alpha1 NixNode':
      found.nodes.push(read(NixNode));
      break;
    case 'firn.dev/v1alpha1 NixModule':
      found.modules.push(read(NixModule));
      break;
    case 'firn.dev/v1alpha1 NixCluster':
      found.clusters.push(read(NixCluster));
      break;
    case 'firn.dev/v1alpha1 WireguardMesh':
      found.meshes.push(read(WireguardMesh));
      break;
    case 'v1 ConfigMap':
      found.configMaps.push(read(ConfigMapKind));
      break;
    case 'v1 Secret':
      found.secrets.push(read(SecretKind, withData(raw)));
      break;
  }
}

/** `stringData` is what people write, `data` is what the server makes of it. */
function withData(raw: Raw): Raw {
  const encoded = Object.entries((raw.stringData ?? {}) as Record<string, string>).map(
    ([key, value]) => [key, Buffer.from(String(value)).toString('base64')] as const,
  );
  return { ...raw, data: { ...(raw.data as object | undefined), ...Object.fromEntries(encoded) } };
}

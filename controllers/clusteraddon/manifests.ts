/** From texts to objects that may be applied. Pure; nothing in a text is trusted. */
import { maxObjects } from '../../crds/index.ts';
import { ReconcileError } from '../lib/core/outcome.ts';
import { type Json, readYaml, UnreadableYaml } from './yaml.ts';

/** `name` is for messages: `manifests[0]`, `ConfigMap a, key b`. */
export type Source = { name: string; text: string };

export type Fields = { [field: string]: Json };

/** One object as it is to be sent, but for what tells whose it is. */
export type Manifest = {
  /** For messages: where it stands. */
  where: string;
  group: string;
  version: string;
  kind: string;
  namespace: string | undefined;
  name: string;
  body: Fields & { metadata: Fields };
};

/** Several times what the largest addons have; to parse it takes about a second. */
const maxBytes = 8 * 1024 * 1024;

/** Throws `terminal` with the place and what is wrong there. */
export function readManifests(sources: readonly Source[]): Manifest[] {
  const bytes = sources.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
  if (bytes > maxBytes) {
    throw tooLarge(`the manifests have ${Math.ceil(bytes / 1024 / 1024)} MiB, and 8 MiB is the most`);
  }
  const manifests = sources.flatMap(readSource);
  if (manifests.length === 0) {
    const message =
      'there is no object in the manifests; to take away what was applied, set deletionPolicy to Delete and delete the ClusterAddon';
    throw new ReconcileError('terminal', 'ManifestsEmpty', message);
  }
  if (manifests.length > maxObjects) {
    throw tooLarge(`the manifests have ${manifests.length} objects, and ${maxObjects} are the most`);
  }
  refuseTwins(manifests);
  return manifests;
}

const tooLarge = (message: string) =>
  new ReconcileError('terminal', 'ManifestsTooLarge', `${message}: make several ClusterAddons of it`);

function readSource({ name, text }: Source): Manifest[] {
  const documents = understood(name, () => readYaml(text));
  return documents.flatMap((document, at) =>
    document === null ? [] : itemsOf(`${name}, document ${at + 1}`, document),
  );
}

function understood<T>(where: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof UnreadableYaml)) throw error;
    throw new ReconcileError('terminal', 'ManifestUnreadable', `${where} cannot be read: ${error.message}`);
  }
}

/** A `List` is what kubectl prints of several objects. */
function itemsOf(where: string, document: Json): Manifest[] {
  const object = fieldsOf(where, 'the document', document);
  if (object.apiVersion !== 'v1' || object.kind !== 'List') return [manifestOf(where, object)];
  const items = Array.isArray(object.items) ? object.items : [];
  return items.map((item, at) => {
    const place = `${where}, item ${at + 1}`;
    return manifestOf(place, fieldsOf(place, 'the item', item));
  });
}

const apiVersionPattern = /^(?:([a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?)\/)?([a-z0-9]{1,63})$/;
const kindPattern = /^[A-Z][A-Za-z0-9]{0,62}$/;
const namespacePattern = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
/** What may be a part of a path; names of RBAC have colons. */
const namePattern = /^(?!\.\.?$)[^/%\p{Cc}]{1,253}$/u;

function manifestOf(where: string, object: Fields): Manifest {
  const [, group = '', version = ''] = apiVersionPattern.exec(String(object.apiVersion ?? '')) ?? [];
  const { kind } = object;
  if (version === '') throw invalid(where, 'has no apiVersion such as v1 or apps/v1');
  if (typeof kind !== 'string' || !kindPattern.test(kind))
    throw invalid(where, 'has no kind such as ConfigMap');
  const metadata = fieldsOf(where, `metadata of the ${kind}`, object.metadata ?? null);
  const { name, namespace } = metadata;
  if (typeof name !== 'string' || !namePattern.test(name))
    throw invalid(where, `has a ${kind} without a metadata.name that can be one`);
  if (namespace !== undefined && (typeof namespace !== 'string' || !namespacePattern.test(namespace)))
    throw invalid(where, `has a ${kind} with a metadata.namespace that cannot be one`);
  for (const field of ['labels', 'annotations'] as const)
    if (metadata[field] !== undefined && metadata[field] !== null)
      fieldsOf(where, `${field} of the ${kind}`, metadata[field]);
  const { status: _, ...rest } = object;
  return { where, group, version, kind, namespace, name, body: { ...rest, metadata: ownMetadata(metadata) } };
}

/** What the server alone says of an object; `kubectl get -o yaml` prints it, and it would be refused, or taken at its word. */
const saidByServer = [
  'managedFields',
  'resourceVersion',
  'uid',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'selfLink',
];

const ownMetadata = (metadata: Fields): Fields =>
  Object.fromEntries(Object.entries(metadata).filter(([field]) => !saidByServer.includes(field)));

function fieldsOf(where: string, what: string, value: Json): Fields {
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value;
  throw invalid(where, `is not an object of Kubernetes: ${what} is no mapping`);
}

function refuseTwins(manifests: readonly Manifest[]): void {
  const first = new Map<string, Manifest>();
  for (const manifest of manifests) {
    const { group, kind, namespace = '', name } = manifest;
    const identity = [group, kind, namespace, name].join('/');
    const twin = first.get(identity);
    if (twin)
      throw invalid(
        manifest.where,
        `has ${sayObject(manifest)}, and so has ${twin.where}: leave one of them`,
      );
    first.set(identity, manifest);
  }
}

export const invalid = (where: string, what: string): ReconcileError =>
  new ReconcileError('terminal', 'ManifestInvalid', `${where} ${what}`);

/** As kubectl writes it, short of the version: `Deployment.apps kube-system/coredns`. */
export function sayObject(object: {
  group: string;
  kind: string;
  namespace?: string | undefined;
  name: string;
}): string {
  const { group, kind, namespace, name } = object;
  return `${kind}${group === '' ? '' : `.${group}`} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
}

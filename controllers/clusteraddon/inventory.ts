/** What was applied, told from what is to be applied, and by whom an object was. Pure. */
import type { AppliedObject, ClusterAddon, Metadata } from '../../crds/index.ts';
import type { Fields, Manifest } from './manifests.ts';

/** On every object that is applied: the name of the ClusterAddon. */
export const addonLabel = 'firn.dev/addon';
/** Beside it, its UID: a label is copied with an object, and a name is given again. */
const uidAnnotation = 'firn.dev/addon-uid';

const managerPrefix = 'firn-addon-';

/** Each addon has its own, so that the API server notices when two want the same field. */
export const fieldManagerOf = ({ metadata }: ClusterAddon): string => `${managerPrefix}${metadata.name}`;

/** The name of the addon whose field manager it is; undefined for anybody else's. */
export const addonOfManager = (manager: string): string | undefined =>
  manager.startsWith(managerPrefix) ? manager.slice(managerPrefix.length) : undefined;

export function markedBody({ body }: Manifest, { metadata: { name, uid } }: ClusterAddon): Manifest['body'] {
  const { labels, annotations, ...metadata } = body.metadata;
  return {
    ...body,
    metadata: {
      ...metadata,
      labels: { ...(labels as Fields | undefined), [addonLabel]: name },
      annotations: { ...(annotations as Fields | undefined), [uidAnnotation]: uid },
    },
  };
}

/** Whether what is there is what this addon applied, and not a copy of it or another one's. */
export const isOurs = (found: Metadata, { metadata: { name, uid } }: ClusterAddon): boolean =>
  found.labels?.[addonLabel] === name && found.annotations?.[uidAnnotation] === uid;

export const entryOf = ({ group, version, kind, namespace, name }: Manifest): AppliedObject => ({
  group,
  version,
  kind,
  ...(namespace === undefined ? {} : { namespace }),
  name,
});

/** Whichever version it is written in, it is the same object. */
const identityOf = ({ group, kind, namespace = '', name }: AppliedObject): string =>
  [group, kind, namespace, name].join('/');

/** Sorted, so that the same objects are the same text. */
export function together(one: readonly AppliedObject[], other: readonly AppliedObject[]): AppliedObject[] {
  const all = new Map([...one, ...other].map((entry) => [identityOf(entry), entry]));
  return [...all].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry);
}

/** What `former` has and `now` has not. */
export function without(former: readonly AppliedObject[], now: readonly AppliedObject[]): AppliedObject[] {
  const kept = new Set(now.map(identityOf));
  return former.filter((entry) => !kept.has(identityOf(entry)));
}

/** The Secret of a ClusterAccess: whose it is, and what is in it. Pure. */
import type { ClusterAccess } from '../../crds/index.ts';
import { apiVersionOf, ClusterAccess as Kind } from '../../crds/index.ts';
import { Sealed } from '../lib/core/sealed.ts';
import type { Secret } from '../lib/kube/core-kinds.ts';

export const secretKey = 'kubeconfig';
/** On the Secret: the name of the ClusterAccess. */
const accessLabel = 'firn.dev/access';

const ownerOf = ({ metadata: { name, uid } }: ClusterAccess) => ({
  apiVersion: apiVersionOf(Kind),
  kind: Kind.kind,
  name,
  uid,
});

/** Made for this object, or for one of its name that came back with another UID, as from a backup. */
export const isOwn = ({ metadata }: Secret, access: ClusterAccess): boolean =>
  (metadata.ownerReferences ?? []).some(
    ({ kind, name, apiVersion }) =>
      kind === Kind.kind && name === access.metadata.name && apiVersion.startsWith(`${Kind.group}/`),
  );

export const kubeconfigIn = (secret: Secret): Sealed<string> =>
  new Sealed(new TextDecoder().decode(secret.data[secretKey]?.open() ?? new Uint8Array()));

export const isOwnedNow = ({ metadata }: Secret, access: ClusterAccess): boolean =>
  metadata.ownerReferences?.some(({ uid }) => uid === access.metadata.uid) ?? false;

/** Of the Secret, what is ours: for a request to the API server and nothing else. */
export const contentOf = (access: ClusterAccess, text: Sealed<string>) => ({
  metadata: {
    labels: { [accessLabel]: access.metadata.name, 'app.kubernetes.io/managed-by': 'firn' },
    ownerReferences: [ownerOf(access)],
  },
  data: { [secretKey]: Buffer.from(text.open()).toString('base64') },
});

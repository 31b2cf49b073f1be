/** The Secrets of a ClusterPKI. They have no owner: what they hold is worth more than the object that asked for them. */
import type { Secret } from '../lib/kube/core-kinds.ts';
import type { AuthorityName } from './policies/policy.ts';

/** On each of them, with the name of the ClusterPKI. */
export const pkiLabel = 'firn.dev/pki';

export const authoritySecretName = (pki: string, authority: AuthorityName): string =>
  `${pki}-${authority}-ca`;
export const serviceAccountSecretName = (pki: string): string => `${pki}-service-account`;
export const encryptionSecretName = (pki: string): string => `${pki}-encryption`;

export const secretNamesOf = (pki: string): string[] => [
  ...(['cluster', 'etcd', 'front-proxy'] as const).map((name) => authoritySecretName(pki, name)),
  serviceAccountSecretName(pki),
  encryptionSecretName(pki),
];

/** The text of one key of a Secret's data, for what is public; undefined where there is none. */
export const textIn = (secret: Pick<Secret, 'data'>, key: string): string | undefined => {
  const bytes = secret.data[key];
  return bytes && new TextDecoder().decode(bytes.open());
};

import { stringify } from 'yaml';
import { Sealed } from '../core/sealed.ts';
import type { KeyedCertificate } from './leaf.ts';

export type KubeconfigSpec = {
  /** Names the cluster and the context. */
  name: string;
  /** `https://…` */
  server: string;
  /** PEM of the authorities that the client trusts. */
  authorities: string;
  user: string;
  credential: KeyedCertificate | { token: Sealed<string> };
  /** The context's namespace. */
  namespace?: string;
};

/** A kubeconfig with one cluster, one user and one context; everything is inside of the one file. */
export function kubeconfigText(spec: KubeconfigSpec): Sealed<string> {
  const { name, server, user, namespace } = spec;
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server, 'certificate-authority-data': base64(spec.authorities) } }],
    users: [{ name: user, user: credentialOf(spec.credential) }],
    contexts: [{ name, context: { cluster: name, user, ...(namespace === undefined ? {} : { namespace }) } }],
    'current-context': name,
  };
  return new Sealed(stringify(config, { lineWidth: 0 }));
}

const credentialOf = (credential: KubeconfigSpec['credential']): Record<string, string> =>
  'token' in credential
    ? { token: credential.token.open() }
    : {
        'client-certificate-data': base64(credential.certificate),
        'client-key-data': base64(credential.key.open()),
      };

const base64 = (text: string): string => Buffer.from(text).toString('base64');

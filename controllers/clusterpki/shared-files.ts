/** Files of a cluster's keys that are not a node's own: whom to trust, and on control planes the keys that they share. */
import { Sealed } from '../lib/core/sealed.ts';
import type { DeliveredFile } from '../lib/nix/release.ts';
import type { Material } from './material.ts';
import { type AuthorityName, isControlPlane, pkiFolder, type Subject } from './policies/policy.ts';

type Roles = Pick<Subject, 'roles'>;

/** kube-apiserver watches the authorities of clients (`--client-ca-file`, front proxy); it reads etcd's once. */
const readers: Record<
  AuthorityName,
  { file: string; restartUnits: readonly string[]; reloadUnits?: readonly string[] }
> = {
  cluster: {
    file: 'ca.crt',
    restartUnits: [
      'coredns.service',
      'kube-controller-manager.service',
      'kube-proxy.service',
      'kube-scheduler.service',
      'kubelet.service',
    ],
    // Which lets connections end that it has.
    reloadUnits: ['firn-api-balancer.service'],
  },
  etcd: { file: 'etcd/ca.crt', restartUnits: ['etcd.service', 'kube-apiserver.service'] },
  'front-proxy': { file: 'front-proxy-ca.crt', restartUnits: [] },
};

const signers = ['kube-apiserver.service', 'kube-controller-manager.service'];

/** Sorted by path. Certificates are public, mode 0444; keys belong to `kubernetes`, mode 0400. */
export function sharedFilesOf(subject: Subject, material: Material): DeliveredFile[] {
  const bundles = trustedOn(subject).map((name) =>
    file(readers[name].file, material.authorities[name].trust, {
      owner: 'root',
      mode: 0o444,
      restartUnits: readers[name].restartUnits,
      reloadUnits: readers[name].reloadUnits ?? [],
    }),
  );
  if (!isControlPlane(subject)) return bundles;
  const { serviceAccount, encryption } = material;
  const key = (name: string, text: string, restartUnits: readonly string[]) =>
    file(name, text, { owner: 'kubernetes', mode: 0o400, restartUnits, reloadUnits: [] });
  return [
    ...bundles,
    key('encryption-config.yaml', encryption.config.open(), ['kube-apiserver.service']),
    key('sa.key', serviceAccount.key.open(), signers),
    key('sa.pub', serviceAccount.publicKeys, ['kube-apiserver.service']),
  ].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** etcd and the front proxy are only on control planes: nobody else needs to know whom they trust. */
const trustedOn = (roles: Roles): AuthorityName[] =>
  isControlPlane(roles) ? ['cluster', 'etcd', 'front-proxy'] : ['cluster'];

function file(
  name: string,
  text: string,
  given: Pick<DeliveredFile, 'owner' | 'mode' | 'restartUnits' | 'reloadUnits'>,
): DeliveredFile {
  const content = new Sealed(new TextEncoder().encode(text));
  return { ...given, path: `${pkiFolder}/${name}`, group: given.owner, content };
}

/** As NixNode.status.pki.authorities tells it: where what a host of these roles has comes from. */
export type Origins = Partial<
  Record<AuthorityName | `${AuthorityName}-trust` | 'service-account' | 'encryption', string>
>;

/** Fingerprints by name: of who signed, of whom is trusted, of the keys that control planes share. */
export function originsOf(roles: Roles, material: Material): Origins {
  const authorities = trustedOn(roles).flatMap((name) => {
    const { fingerprint, trustFingerprint } = material.authorities[name];
    return [[name, fingerprint] as const, [`${name}-trust`, trustFingerprint] as const];
  });
  return {
    ...Object.fromEntries(authorities),
    ...(isControlPlane(roles) && {
      'service-account': material.serviceAccount.fingerprint,
      encryption: material.encryption.fingerprint,
    }),
  };
}

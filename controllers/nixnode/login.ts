/** How the operator logs in to a node: its SSH target, and the keys that the node must go on accepting. */
import type { NixNode } from '../../crds/index.ts';
import { ReconcileError } from '../lib/core/outcome.ts';
import { Sealed } from '../lib/core/sealed.ts';
import type { SshEndpoint, Target } from '../lib/host/host.ts';
import type { Secret } from '../lib/kube/core-kinds.ts';
import type { Services } from './services.ts';

export type Login = {
  target: Target;
  /** The same with the key that is being rotated in: what confirms a release. */
  confirmTarget: Target;
  /** Public keys for authorized_keys(5): of the key in use, and of the next one. */
  authorizedKeys: string[];
};

/** Kubernetes' own key in a Secret of type kubernetes.io/ssh-auth. */
const keyField = 'ssh-privatekey';
/**
 * A key on its way in: hosts accept both, and confirm with this one. When all have, it takes the place of the
 * other and this field goes.
 */
const nextKeyField = 'ssh-privatekey-next';

export function loginOf(
  node: NixNode,
  secrets: { key: Secret; jumpKey?: Secret | undefined },
  readPrivateKey: Services['readPrivateKey'],
): Login {
  const target = targetOf(node, secrets);
  const next = privateKey(secrets.key, nextKeyField);
  const authorizedKeys = [target.privateKey, ...(next ? [next] : [])].map((one) =>
    publicLine(one, secrets.key, readPrivateKey),
  );
  const confirmTarget = next ? { ...target, privateKey: next } : target;
  return { target, confirmTarget, authorizedKeys };
}

/** How the host is logged in to now. Throws where a Secret has no key. */
export function targetOf(
  { metadata, spec: { ssh }, status }: NixNode,
  secrets: { key: Secret; jumpKey?: Secret | undefined },
): Target {
  const key = privateKey(secrets.key, keyField);
  if (!key) throw unusable(secrets.key, `has no key ${keyField}: put a private key there`);
  const pinned = status?.ssh?.hostKeys ?? [];
  return {
    ...endpoint(ssh, key),
    hostKeys: ssh.hostKeyPolicy === 'TrustOnFirstUse' ? pinned : ssh.hostKeys,
    trustFirstKey: ssh.hostKeyPolicy === 'TrustOnFirstUse',
    poolKey: metadata.uid,
    ...(ssh.jump && secrets.jumpKey && { jump: jumpEndpoint(ssh.jump, secrets.jumpKey) }),
  };
}

type Ssh = NixNode['spec']['ssh'];

function jumpEndpoint(jump: NonNullable<Ssh['jump']>, secret: Secret): SshEndpoint {
  const key = privateKey(secret, keyField);
  if (!key) throw unusable(secret, `has no key ${keyField}: put a private key there`);
  return { ...endpoint(jump, key), hostKeys: jump.hostKeys, trustFirstKey: false };
}

const endpoint = ({ host, port, user }: Pick<Ssh, 'host' | 'port' | 'user'>, key: Sealed<string>) => ({
  host,
  port,
  user,
  privateKey: key,
});

function privateKey(secret: Secret, field: string): Sealed<string> | undefined {
  const bytes = secret.data[field];
  return bytes && new Sealed(new TextDecoder().decode(bytes.open()));
}

function publicLine(key: Sealed<string>, secret: Secret, readPrivateKey: Services['readPrivateKey']): string {
  const read = readPrivateKey(key);
  if (read === 'encrypted') {
    throw unusable(
      secret,
      'has a private key with a passphrase, which nobody is there to type: ssh-keygen -p removes it',
    );
  }
  if (!read)
    throw unusable(secret, 'has no private key that can be read: put one there as ssh-keygen writes it');
  return `${read.type} ${Buffer.from(read.blob).toString('base64')}`;
}

const unusable = (secret: Secret, why: string) =>
  new ReconcileError('terminal', 'InvalidPrivateKey', `Secret ${secret.metadata.name} ${why}`);

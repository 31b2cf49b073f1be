/** What a visit to a ClusterAccess finds, does and says, step by step. */
import { X509Certificate } from 'node:crypto';
import { type ClusterAccess, ClusterPKI, NixCluster, parseDuration } from '../../crds/index.ts';
import { timeLeft } from '../clusterpki/expiry.ts';
import { signed } from '../clusterpki/signed.ts';
import { ReconcileError } from '../lib/core/outcome.ts';
import type { Sealed } from '../lib/core/sealed.ts';
import { timestamp } from '../lib/core/timestamp.ts';
import { type Secret, SecretKind } from '../lib/kube/core-kinds.ts';
import type { Objects } from '../lib/kube/objects.ts';
import type { Binding } from '../lib/kube/rbac.ts';
import { fingerprintOf, validityOf } from '../lib/pki/inspect.ts';
import type { Context, Reader } from '../lib/runtime/controller.ts';
import { authorityOf } from '../nixcluster/access.ts';
import { pkiOf } from '../nixcluster/relations.ts';
import { endpointOf } from '../nixcluster/status.ts';
import { unboundIn } from './bindings.ts';
import { endsWith, issue, judge, renewalOf, textOf, type Wanted } from './kubeconfig.ts';
import { contentOf, isOwn, isOwnedNow, kubeconfigIn } from './secret.ts';

export type AccessServices = {
  objects: Objects;
  /** As many random bytes as asked for. */
  randomBytes(count: number): Uint8Array;
  /** All bindings of RBAC in the cluster. Throws `ReconcileError` in words where it cannot be asked. */
  bindings(cluster: NixCluster, read: Reader, signal: AbortSignal): Promise<readonly Binding[]>;
};

export type Visit = { access: ClusterAccess; context: Context<ClusterAccess>; services: AccessServices };

/** Sees to it that the Secret holds a kubeconfig that is valid. Returns when it is to be renewed. */
export async function ensureKubeconfig(visit: Visit): Promise<{ renewAt: number }> {
  const { wanted, certificate } = await ensureCertificate(visit);
  await dropFormer(visit);
  return report(visit, wanted, certificate);
}

async function ensureCertificate(visit: Visit): Promise<{ wanted: Wanted; certificate: string }> {
  const { access, context, services } = visit;
  const wanted = await wantedFor(access, context.read);
  const secret = await ownSecret(access, context.read);
  const now = context.clock.now();
  const held = secret && judge(kubeconfigIn(secret), wanted, now);
  if (held?.act === 'keep') {
    const same = held.text.open() === kubeconfigIn(secret!).open() && isOwnedNow(secret!, access);
    if (!same) await write(visit, secret, held.text, 'server, authorities or owner are others');
    return { wanted, certificate: held.credential.certificate };
  }
  const credential = await signed(issue(wanted, { now, random: services.randomBytes }));
  await write(visit, secret, textOf(wanted, credential), held?.because ?? 'there was none');
  return { wanted, certificate: credential.certificate };
}

async function wantedFor({ metadata, spec }: ClusterAccess, read: Reader): Promise<Wanted> {
  const namespace = metadata.namespace ?? '';
  const cluster = read.require(NixCluster, namespace, spec.clusterRef.name);
  const authority = await authorityOf(cluster, read);
  const { keyAlgorithm } = read.require(ClusterPKI, namespace, pkiOf(cluster)).spec;
  return {
    name: `${spec.user}@${cluster.metadata.name}`,
    server: endpointOf(cluster),
    user: spec.user,
    groups: spec.groups,
    lifetimeMs: parseDuration(spec.lifetime),
    algorithm: keyAlgorithm,
    authority,
  };
}

/** Undefined where there is none. Throws where it is somebody else's. */
async function ownSecret(access: ClusterAccess, read: Reader): Promise<Secret | undefined> {
  const secret = await find(access, access.spec.secretName, read);
  if (secret === undefined || isOwn(secret, access)) return secret;
  const message = `Secret ${secret.metadata.name} is there already and was not made for this ClusterAccess; choose another spec.secretName, or delete it`;
  throw new ReconcileError('waiting', 'SecretTaken', message);
}

async function find({ metadata }: ClusterAccess, name: string, read: Reader): Promise<Secret | undefined> {
  try {
    return await read.load(SecretKind, metadata.namespace ?? '', name);
  } catch (error) {
    if (error instanceof ReconcileError && error.reason === 'SecretNotFound') return undefined;
    throw error;
  }
}

/** The watch tells of what was written; this is the net below it. */
const recheckMs = 2_000;

async function write(
  { access, context, services }: Visit,
  secret: Secret | undefined,
  text: Sealed<string>,
  because: string,
): Promise<void> {
  const { metadata, data } = contentOf(access, text);
  const namespace = access.metadata.namespace ?? '';
  const name = access.spec.secretName;
  if (secret) {
    const { resourceVersion } = secret.metadata;
    await services.objects.patch(
      SecretKind,
      { namespace, name, resourceVersion },
      { metadata, data },
      context.signal,
    );
  } else {
    const object = { metadata: { ...metadata, namespace, name }, type: 'Opaque', data };
    const made = await services.objects.create(SecretKind, object, context.signal);
    if (made === 'exists')
      throw new ReconcileError('progressing', 'Progressing', `Secret ${name} has just been made`, {
        recheckMs,
      });
  }
  context.event('Normal', 'KubeconfigWritten', `wrote Secret ${name}: ${because}`);
}

/** After `spec.secretName` has changed. */
async function dropFormer({ access, context, services }: Visit): Promise<void> {
  const former = access.status?.secretName;
  if (former !== undefined && former !== access.spec.secretName)
    await dropSecret(access, former, context, services.objects);
}

/** One that is somebody else's stays. */
export async function dropSecret(
  access: ClusterAccess,
  name: string,
  { read, signal }: Context<ClusterAccess>,
  objects: Objects,
): Promise<void> {
  const secret = await find(access, name, read);
  if (!secret || !isOwn(secret, access)) return;
  const { namespace = '', uid } = secret.metadata;
  await objects.delete(SecretKind, { namespace, name, uid }, signal);
}

function report({ access, context }: Visit, wanted: Wanted, certificate: string): { renewAt: number } {
  const { notAfter } = validityOf(certificate);
  const renewAt = renewalOf(certificate, wanted.authority);
  const clipped = endsWith(notAfter, wanted.authority.notAfter);
  context.report({
    secretName: access.spec.secretName,
    server: wanted.server,
    groups: wanted.groups.join(','),
    serial: new X509Certificate(certificate).serialNumber.toLowerCase(),
    fingerprint: fingerprintOf(certificate),
    notAfter: timestamp(notAfter),
    renewAt: timestamp(renewAt),
    expiresIn: timeLeft(notAfter, context.clock.now()),
    limitedBy: clipped
      ? 'it ends with the authority that signed it, which ends sooner than spec.lifetime asks for: rotate the ClusterPKI'
      : undefined,
  });
  return { renewAt };
}

/** Throws where nobody has given the user any right, and where that cannot be found out. */
export async function checkBound({ access, context, services }: Visit): Promise<void> {
  const { metadata, spec } = access;
  const cluster = context.read.require(NixCluster, metadata.namespace ?? '', spec.clusterRef.name);
  const unbound = unboundIn(await services.bindings(cluster, context.read, context.signal), spec);
  if (unbound !== null) throw new ReconcileError('waiting', 'NotBound', unbound);
}

/** What a visit to a ClusterPKI finds, does and says, step by step. */
import { type ClusterPKI, type NixCluster, type NixNode, parseDuration } from '../../crds/index.ts';
import { ReconcileError } from '../lib/core/outcome.ts';
import { settleAll } from '../lib/core/settle-all.ts';
import { timestamp } from '../lib/core/timestamp.ts';
import type { Objects } from '../lib/kube/objects.ts';
import { endOf } from '../lib/pki/authority.ts';
import { fingerprintOf } from '../lib/pki/inspect.ts';
import type { Context, Reader } from '../lib/runtime/controller.ts';
import { nodesIn } from '../nixcluster/relations.ts';
import { ensureAuthority, type KeptAuthority } from './authorities.ts';
import type { EncryptionState } from './encryption-secret.ts';
import { checkAuthorities, checkCertificates, type Ending, endingsOf, firstOf, timeLeft } from './expiry.ts';
import { ensureEncryption, ensureServiceAccount, type Kept } from './keys.ts';
import { type LiveGround, liveOf, type Rewritings } from './live.ts';
import { clusterOf, memberOf } from './members.ts';
import { authorityNames } from './policies/policy.ts';
import {
  type Ground,
  leastAdvanced,
  type Rotation,
  rotateAuthority,
  rotateEncryption,
  rotateServiceAccount,
  type Told,
} from './rotate.ts';
import type { ServiceAccountState } from './service-account-secret.ts';
import { authorityFields, encryptionFields, expiryFields, serviceAccountFields } from './status.ts';

/** By namespace and name: when the first certificate of a ClusterPKI ends, in seconds since the epoch. */
export type Expiries = Map<string, number>;

export type PkiServices = {
  objects: Objects;
  /** As many random bytes as asked for. */
  randomBytes(count: number): Uint8Array;
  expiries: Expiries;
  /** Throws `ReconcileError` where there is no way into the cluster. */
  target(cluster: NixCluster, read: Reader): ReturnType<LiveGround['target']>;
  rewritings: Rewritings;
};

export type Visit = Ground & {
  pki: ClusterPKI;
  context: Context<ClusterPKI>;
  nodes: readonly NixNode[];
  expiries: Expiries;
  /** Found on the way. */
  authorities: KeptAuthority[];
  serviceAccount: Kept<ServiceAccountState> | null;
  encryption: Kept<EncryptionState> | null;
};

export function beginVisit(pki: ClusterPKI, context: Context<ClusterPKI>, services: PkiServices): Visit {
  const now = context.clock.now();
  const cluster = clusterOf(pki, context.read);
  const nodes = cluster ? nodesIn(cluster, context.read) : [];
  return {
    pki,
    context,
    nodes,
    keeper: { pki, context, objects: services.objects, now: timestamp(now) },
    members: nodes.map(memberOf),
    live: liveOf({
      cluster,
      target: (one) => services.target(one, context.read),
      signal: context.signal,
      now,
      uid: pki.metadata.uid,
      rewritings: services.rewritings,
    }),
    issuance: { now, random: services.randomBytes },
    expiries: services.expiries,
    authorities: [],
    serviceAccount: null,
    encryption: null,
  };
}

export async function findAuthorities(visit: Visit): Promise<void> {
  const { keeper, members, issuance, context, authorities } = visit;
  await settleAll(
    authorityNames.map((name) => async () => {
      authorities.push(await ensureAuthority(keeper, name, members, issuance));
    }),
  );
  context.report(authorityFields(authorities));
}

export async function findKeys(visit: Visit): Promise<void> {
  const { keeper, members, issuance, context } = visit;
  await settleAll([
    async () => {
      visit.serviceAccount = await ensureServiceAccount(keeper, members);
      context.report(serviceAccountFields(visit.serviceAccount));
    },
    async () => {
      visit.encryption = await ensureEncryption(keeper, members, issuance.random);
      context.report(encryptionFields(visit.encryption));
    },
  ]);
}

/** All that is asked for goes one stage on where it can. Throws `progressing` as long as anything is under way. */
export async function rotate(visit: Visit): Promise<void> {
  const { authorities, serviceAccount, encryption, context } = visit;
  const stages: (Told | null)[] = [];
  const others: (Told | null)[] = [];
  const work = [
    ...authorities.map((kept) => async () => stages.push(await rotateAuthority(visit, kept))),
    async () => serviceAccount && others.push(await rotateServiceAccount(visit, serviceAccount)),
    async () => encryption && others.push(await rotateEncryption(visit, encryption)),
  ];
  const report = () => {
    const all = [leastAdvanced(stages), ...others].filter((one) => one !== null);
    const found = all.map(({ rotation }) => rotation);
    const recheckMs = Math.min(60_000, ...all.flatMap((one) => one.recheckMs ?? []));
    context.report({ rotation: found.length > 0 ? found : undefined });
    for (const words of stageChanges(visit.pki.status?.rotation ?? [], found)) {
      context.event('Normal', 'RotationStage', words);
    }
    if (found.length > 0) throw rotating(found, recheckMs);
  };
  await settleAll([...work, report, () => assertImportsUsed(authorities)]);
}

/** A sentence for each rotation that is in another stage than the status says. */
function stageChanges(before: readonly Rotation[], now: readonly Rotation[]): string[] {
  const names = [...new Set([...before, ...now].map(({ name }) => name))];
  const stageOf = (all: readonly Rotation[], name: string) => all.find((one) => one.name === name)?.stage;
  return names
    .filter((name) => stageOf(before, name) !== stageOf(now, name))
    .map((name) => `${name}: ${stageOf(now, name) ?? 'over'}`);
}

function rotating(found: readonly Rotation[], recheckMs: number): ReconcileError {
  const words = found.map(({ name, stage, waitsFor }) => `${name}: ${stage} waits for ${waitsFor}`);
  return new ReconcileError('progressing', 'Rotating', words.join('; '), { recheckMs });
}

/** What is imported takes over when it is asked for, not when somebody changes a Secret. */
function assertImportsUsed(authorities: readonly KeptAuthority[]): void {
  const unused = authorities.filter(
    ({ imported, state }) =>
      imported &&
      state.record.stage === 'Idle' &&
      fingerprintOf(imported.certificate) !== fingerprintOf(state.signer.certificate),
  );
  if (unused.length === 0) return;
  const message = `what is imported is not what signs: ${unused.map(({ name }) => name).join(', ')}; a new value of spec.rotate.authority moves to it in stages`;
  throw new ReconcileError('waiting', 'ImportedAuthorityUnused', message);
}

/** What ends when; throws where something is over, or so soon that somebody must look after it. */
export function checkExpiry({ pki, context, nodes, issuance, authorities, expiries }: Visit): void {
  const { now } = issuance;
  const { lifetime, renewBefore } = pki.spec.certificates;
  const signers: Ending[] = authorities.map(({ name, state }) => ({
    what: `authority ${name}`,
    at: endOf(state.signer),
  }));
  const certificates = endingsOf(nodes);
  const endings = [...signers, ...certificates];
  context.report(expiryFields(endings, nodes, now));
  const first = firstOf(endings);
  if (first) expiries.set(`${pki.metadata.namespace}/${pki.metadata.name}`, first.at / 1000);
  for (const { what, at } of signers.filter(({ at }) => at - now < parseDuration(lifetime))) {
    const words = `${what} ends in ${timeLeft(at, now)}, and certificates are cut short by that; replace it with a new value of spec.rotate.authority`;
    context.event('Warning', 'AuthorityExpires', words);
  }
  checkAuthorities(signers, now);
  checkCertificates(certificates, { renewBeforeMs: parseDuration(renewBefore) }, now);
}

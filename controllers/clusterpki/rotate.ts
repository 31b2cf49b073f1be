/** One visit to everything that is being rotated: what can go on goes one stage on; what waits says for whom. */
import type { ClusterPKIStatus } from '../../crds/index.ts';
import { clip } from '../lib/core/clip.ts';
import type { Issuance } from '../lib/pki/certificate.ts';
import { generateKey, publicKeyOf } from '../lib/pki/keys.ts';
import { authorityLayout, expectedOf, type KeptAuthority, successorOf } from './authorities.ts';
import { type AuthorityState, trustOf } from './authority-secret.ts';
import { createEncryptionKey, type EncryptionState, encryptedResources } from './encryption-secret.ts';
import { type Keeper, type Layout, writeKept } from './kept.ts';
import {
  encryptionLayout,
  expectedEncryption,
  expectedServiceAccount,
  type Kept,
  serviceAccountLayout,
} from './keys.ts';
import type { Live, LiveGates } from './live.ts';
import { encryptionMachine, type Gate, type Machine, nextStage, trustMachine } from './machine.ts';
import { all, hostsGate, type Member } from './members.ts';
import type { RotationRecord } from './record.ts';
import { authorityAt, encryptionAt, isVouchedFor, serviceAccountAt } from './rotation.ts';
import type { ServiceAccountState } from './service-account-secret.ts';

type Requests = 'authority' | 'serviceAccountKey' | 'encryptionKey';
export type Rotation = NonNullable<ClusterPKIStatus['rotation']>[number];
/** As the status tells it, and when to look again where nothing tells. */
export type Told = { rotation: Rotation; recheckMs?: number };

export type Ground = {
  keeper: Keeper;
  members: readonly Member[];
  live: Live;
  issuance: Issuance;
};

type Step<S> = {
  what: Requests;
  machine: Machine;
  layout: Layout<S & { record: RotationRecord }>;
  gate: Gate;
  /** What the state is in another stage; makes what is new. */
  at(record: RotationRecord): Promise<S & { record: RotationRecord }>;
};

/** Null where nothing is being replaced. */
async function step<S extends { record: RotationRecord }>(
  { keeper }: Ground,
  { secret, state }: Kept<S>,
  { what, machine, layout, gate, at }: Step<S>,
): Promise<Told | null> {
  const { abort } = keeper.pki.spec.rotate;
  const next = nextStage(machine, state.record, { request: keeper.pki.spec.rotate[what], abort }, gate);
  if (!('to' in next)) return told(what, state.record, next.waitsFor, next.recheckMs);
  const record = { request: next.request, stage: next.to, startedAt: keeper.now };
  await writeKept(keeper, secret, layout, await at(record));
  return told(what, record, 'hosts to have it');
}

/** As much as crds/clusterpki-status.ts has room for: names of pods and Secrets are the cluster's own. */
const maxWaits = 8192;

function told(
  name: Requests,
  record: RotationRecord,
  waitsFor: string | null,
  recheckMs?: number,
): Told | null {
  const { stage, request, startedAt } = record;
  if (stage === 'Idle') return null;
  const words = waitsFor !== null ? { waitsFor: clip(waitsFor, maxWaits) } : {};
  const rotation = { name, request: request ?? '', stage, startedAt, ...words };
  return { rotation, ...(recheckMs !== undefined && { recheckMs }) };
}

/** Of what was not asked, since something else is waited for, or since it does not matter. */
const notAsked: Gate = { open: false, waitsFor: 'the cluster' };

/**
 * When the stage of an authority is over. Pods know the authority that they loaded when they started: before the former
 * one is dropped all are started anew, and before the new one signs already where the former cannot vouch for it.
 */
export function authorityGate(
  kept: Pick<KeptAuthority, 'name' | 'state'>,
  members: readonly Member[],
  live: Pick<LiveGates, 'podsRestarted'>,
): Gate {
  const hosts = hostsGate(members, expectedOf(kept));
  return isByPods(kept) ? all(hosts, live.podsRestarted) : hosts;
}

function isByPods({ name, state: { record, next } }: Pick<KeptAuthority, 'name' | 'state'>): boolean {
  if (name !== 'cluster') return false;
  return (
    record.stage === 'Reissue' || (record.stage === 'Distribute' && next !== null && !isVouchedFor(next))
  );
}

export async function rotateAuthority(ground: Ground, kept: KeptAuthority): Promise<Told | null> {
  const { keeper, members, live, issuance } = ground;
  const asks = isByPods(kept) && hostsGate(members, expectedOf(kept)).open;
  const podsRestarted = asks ? await live.podsRestarted(trustOf(kept.state)) : notAsked;
  return step<AuthorityState>(ground, kept, {
    what: 'authority',
    machine: trustMachine,
    layout: authorityLayout,
    gate: authorityGate(kept, members, { podsRestarted }),
    at: async (to) =>
      authorityAt(
        kept.state,
        to,
        to.stage === 'Distribute' ? await successorOf(kept, keeper.pki, issuance) : null,
      ),
  });
}

export async function rotateServiceAccount(
  ground: Ground,
  kept: Kept<ServiceAccountState>,
): Promise<Told | null> {
  const { keeper, members, live } = ground;
  const { record } = kept.state;
  const hosts = hostsGate(members, expectedServiceAccount(kept.state));
  const drops = record.stage === 'Reissue' || record.stage === 'Abort';
  if (drops && hosts.open && record.settledAt === undefined) {
    // From now on no API server signs with the former key: tokens of before are counted from here.
    const settled = { ...record, settledAt: keeper.now };
    await writeKept(keeper, kept.secret, serviceAccountLayout, { ...kept.state, record: settled });
    return told('serviceAccountKey', settled, 'tokens that the former key has signed', 1_000);
  }
  const tokens =
    drops && hosts.open ? await live.tokensRenewed(publicKeyOf(kept.state.key), record.settledAt!) : notAsked;
  return step(ground, kept, {
    what: 'serviceAccountKey',
    machine: trustMachine,
    layout: serviceAccountLayout,
    gate: drops ? all(hosts, tokens) : hosts,
    at: async (to) =>
      serviceAccountAt(
        kept.state,
        to,
        to.stage === 'Distribute' ? await generateKey(keeper.pki.spec.keyAlgorithm) : null,
      ),
  });
}

/** When a stage of the encryption key is over: before a key goes, nothing may be left that it has written. */
export function encryptionGate(
  state: EncryptionState,
  members: readonly Member[],
  live: Pick<LiveGates, 'rewritten'>,
): Gate {
  const { stage } = state.record;
  const hosts = hostsGate(members, expectedEncryption(state));
  return stage === 'Rewrite' || stage === 'Abort' ? all(hosts, live.rewritten) : hosts;
}

export async function rotateEncryption(ground: Ground, kept: Kept<EncryptionState>): Promise<Told | null> {
  const { members, live, issuance } = ground;
  const { stage, request, startedAt } = kept.state.record;
  const hosts = hostsGate(members, expectedEncryption(kept.state));
  const drops = stage === 'Rewrite' || stage === 'Abort';
  const rewritten =
    drops && hosts.open
      ? await live.rewritten(`${request} ${stage} ${startedAt}`, encryptedResources)
      : notAsked;
  return step(ground, kept, {
    what: 'encryptionKey',
    machine: encryptionMachine,
    layout: encryptionLayout,
    gate: encryptionGate(kept.state, members, { rewritten }),
    at: async (to) =>
      encryptionAt(kept.state, to, to.stage === 'Add' ? createEncryptionKey(issuance.random) : null),
  });
}

const order: readonly Rotation['stage'][] = ['Distribute', 'Abort', 'Reissue', 'Retire'];

/** Of the three authorities the one that is behind: a request is about all of them. */
export function leastAdvanced(rotations: readonly (Told | null)[]): Told | null {
  const active = rotations.filter((one) => one !== null);
  return active.sort((a, b) => order.indexOf(a.rotation.stage) - order.indexOf(b.rotation.stage))[0] ?? null;
}

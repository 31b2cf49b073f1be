/** One visit to everything that is being rotated: what can go on goes one stage on; what waits says for whom. */
import type { ClusterPKIStatus } from '../../crds/index.ts';
import type { Issuance } from '../lib/pki/certificate.ts';
import { generateKey } from '../lib/pki/keys.ts';
import { authorityLayout, expectedOf, type KeptAuthority, successorOf } from './authorities.ts';
import type { AuthorityState } from './authority-secret.ts';
import { createEncryptionKey, type EncryptionState } from './encryption-secret.ts';
import { type Keeper, type Layout, writeKept } from './kept.ts';
import {
  encryptionLayout,
  expectedEncryption,
  expectedServiceAccount,
  type Kept,
  serviceAccountLayout,
} from './keys.ts';
import type { LiveGates } from './live.ts';
import { encryptionMachine, type Gate, type Machine, nextStage, trustMachine } from './machine.ts';
import { all, hostsGate, type Member } from './members.ts';
import type { RotationRecord } from './record.ts';
import { authorityAt, encryptionAt, isVouchedFor, serviceAccountAt } from './rotation.ts';
import type { ServiceAccountState } from './service-account-secret.ts';

type Requests = 'authority' | 'serviceAccountKey' | 'encryptionKey';
export type Rotation = NonNullable<ClusterPKIStatus['rotation']>[number];

export type Ground = {
  keeper: Keeper;
  members: readonly Member[];
  live: LiveGates;
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
): Promise<Rotation | null> {
  const { abort } = keeper.pki.spec.rotate;
  const next = nextStage(machine, state.record, { request: keeper.pki.spec.rotate[what], abort }, gate);
  if (!('to' in next)) return told(what, state.record, next.waitsFor);
  const record = { request: next.request, stage: next.to, startedAt: keeper.now };
  await writeKept(keeper, secret, layout, await at(record));
  return told(what, record, 'hosts to have it');
}

function told(name: Requests, record: RotationRecord, waitsFor: string | null): Rotation | null {
  const { stage, request, startedAt } = record;
  if (stage === 'Idle') return null;
  return { name, request: request ?? '', stage, startedAt, ...(waitsFor !== null && { waitsFor }) };
}

/**
 * When the stage of an authority is over. Pods know the authority that they loaded when they started: before the former
 * one is dropped all are started anew, and before the new one signs already where the former cannot vouch for it.
 */
export function authorityGate(
  kept: Pick<KeptAuthority, 'name' | 'state'>,
  members: readonly Member[],
  live: Pick<LiveGates, 'podsRestarted'>,
): Gate {
  const { record, next } = kept.state;
  const hosts = hostsGate(members, expectedOf(kept));
  const byPods =
    record.stage === 'Reissue' || (record.stage === 'Distribute' && next !== null && !isVouchedFor(next));
  return kept.name === 'cluster' && byPods ? all(hosts, live.podsRestarted) : hosts;
}

export function rotateAuthority(ground: Ground, kept: KeptAuthority): Promise<Rotation | null> {
  const { keeper, members, live, issuance } = ground;
  return step<AuthorityState>(ground, kept, {
    what: 'authority',
    machine: trustMachine,
    layout: authorityLayout,
    gate: authorityGate(kept, members, live),
    at: async (to) =>
      authorityAt(
        kept.state,
        to,
        to.stage === 'Distribute' ? await successorOf(kept, keeper.pki, issuance) : null,
      ),
  });
}

export function rotateServiceAccount(
  ground: Ground,
  kept: Kept<ServiceAccountState>,
): Promise<Rotation | null> {
  const { keeper, members, live } = ground;
  const { stage } = kept.state.record;
  const hosts = hostsGate(members, expectedServiceAccount(kept.state));
  return step(ground, kept, {
    what: 'serviceAccountKey',
    machine: trustMachine,
    layout: serviceAccountLayout,
    gate: stage === 'Reissue' || stage === 'Abort' ? all(hosts, live.tokensRenewed) : hosts,
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

export function rotateEncryption(ground: Ground, kept: Kept<EncryptionState>): Promise<Rotation | null> {
  const { members, live, issuance } = ground;
  return step(ground, kept, {
    what: 'encryptionKey',
    machine: encryptionMachine,
    layout: encryptionLayout,
    gate: encryptionGate(kept.state, members, live),
    at: async (to) =>
      encryptionAt(kept.state, to, to.stage === 'Add' ? createEncryptionKey(issuance.random) : null),
  });
}

const order: readonly Rotation['stage'][] = ['Distribute', 'Abort', 'Reissue', 'Retire'];

/** Of the three authorities the one that is behind: a request is about all of them. */
export function leastAdvanced(rotations: readonly (Rotation | null)[]): Rotation | null {
  const active = rotations.filter((one) => one !== null);
  return active.sort((a, b) => order.indexOf(a.stage) - order.indexOf(b.stage))[0] ?? null;
}

/** Takes the step that was decided upon, and sees that it is still right. */
import { ReconcileError } from '../../lib/core/outcome.ts';
import type { EtcdAccess, EtcdApi } from '../../lib/target/etcd.ts';
import { type EtcdFacts, whomToAsk } from './facts.ts';
import type { EtcdAction } from './plan.ts';
import type { EtcdVisit } from './tend.ts';

/** It moves by itself, and nothing tells when it has. */
const notYetMs = 1_000;

export const api = (node: string, access: EtcdAccess, { targets }: EtcdVisit): EtcdApi =>
  targets.etcd(access, node);

/** EtcdError, and that there is no login. */
export const isForUsers = (error: unknown): error is Error & { code: string } =>
  error instanceof Error && ['EtcdError', 'UnreachableError'].includes(error.name);

export async function take(
  action: EtcdAction,
  facts: EtcdFacts,
  access: EtcdAccess,
  visit: EtcdVisit,
): Promise<void> {
  const from = whomToAsk(facts);
  if (from === undefined) return;
  try {
    await perform(action, api(from, access, visit), access, visit);
  } catch (error) {
    if (visit.context.signal.aborted || !isForUsers(error)) throw error;
    // Another operator, or this one before it died, has done it.
    if (error.code === 'NotFound') return;
    const message = `etcd does not ${said(action)}: ${error.message}`;
    if (error.code !== 'NotReady')
      throw new ReconcileError('transient', 'EtcdRefused', message, { cause: error });
    throw new ReconcileError('progressing', 'EtcdJoining', message, { cause: error, recheckMs: notYetMs });
  }
}

async function perform(
  action: EtcdAction,
  etcd: EtcdApi,
  access: EtcdAccess,
  visit: EtcdVisit,
): Promise<void> {
  const { context } = visit;
  const { signal } = context;
  switch (action.do) {
    case 'add': {
      const id = await etcd.addLearner(action.peerURL, signal);
      context.event(
        'Normal',
        'EtcdMemberAdded',
        `added member ${id} for NixNode ${action.node}, as a learner`,
      );
      return;
    }
    case 'promote':
      await etcd.promote(action.id, signal);
      context.event(
        'Normal',
        'EtcdMemberPromoted',
        `member ${action.id} of NixNode ${action.node} has a vote`,
      );
      return;
    case 'update':
      await etcd.update(action.id, action.peerURL, signal);
      context.event('Normal', 'EtcdMemberMoved', `member ${action.id} is reached at ${action.peerURL}`);
      return;
    case 'remove': {
      if (await isWrong(action, access, visit)) return;
      await etcd.remove(action.id, signal);
      const type = action.unlessOn === undefined ? 'Normal' : 'Warning';
      context.event(
        type,
        'EtcdMemberRemoved',
        `removed member ${action.id} (${action.who}): ${action.because}`,
      );
    }
  }
}

/** What was seen of a host may be old: before its member goes for what it lacks, it is looked at once more. */
async function isWrong(
  { id, unlessOn }: Extract<EtcdAction, { do: 'remove' }>,
  access: EtcdAccess,
  visit: EtcdVisit,
): Promise<boolean> {
  if (unlessOn === undefined) return false;
  const { hasData, memberID } = await api(unlessOn, access, visit).files(visit.context.signal);
  return hasData && (memberID === id || memberID === null);
}

function said(action: EtcdAction): string {
  switch (action.do) {
    case 'add':
      return `add a member for NixNode ${action.node}`;
    case 'promote':
      return `give a vote to the learner of NixNode ${action.node}`;
    case 'update':
      return `change the address of member ${action.id}`;
    case 'remove':
      return `remove member ${action.id}`;
  }
}

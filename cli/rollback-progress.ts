import { setTimeout as sleep } from 'node:timers/promises';
import type { NixNode } from '../crds/index.ts';
import { CliError } from './command.ts';
import { type Connection, getNode } from './connect.ts';
import { conditionOf, readyOf } from './node-words.ts';
import { printable, type Terminal } from './terminal.ts';

/** A system is built already; what takes long is a switch, at most `confirmWithin` and its own deadline. */
const deadlineMs = 20 * 60_000;
const pollMs = 1000;

export type RollbackState =
  | { state: 'done'; message: string }
  | { state: 'failed'; message: string }
  | { state: 'going'; message: string };

/** How far the host is in taking `release` back. Pure. */
export function rollbackState(node: NixNode, release: string): RollbackState {
  const { rejected, release: now } = node.status ?? {};
  if (rejected !== release) return { state: 'going', message: 'waiting for the operator' };
  if (now?.current !== undefined && now.current !== release && now.current === now.confirmed) {
    return { state: 'done', message: `release ${now.current} runs and is confirmed` };
  }
  const ready = readyOf(node);
  const message = ready?.message || ready?.reason || 'waiting';
  if (conditionOf(node, 'Stalled')?.status === 'True') return { state: 'failed', message };
  return { state: 'going', message };
}

/** Prints each new state once. Throws `CliError` where it stalls or takes too long. */
export async function waitForRollback(
  connection: Connection,
  { metadata }: NixNode,
  release: string,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<void> {
  let said = '';
  for (const until = Date.now() + deadlineMs; Date.now() < until; ) {
    const node = await getNode(connection, metadata.name, signal);
    if (node.metadata.uid !== metadata.uid)
      throw new CliError(`nixnode/${metadata.name} was replaced meanwhile`);
    const { state, message } = rollbackState(node, release);
    if (state === 'failed') throw new CliError(printable(message));
    if (message !== said) terminal.out(`nixnode/${metadata.name}: ${printable(message)}`);
    if (state === 'done') return;
    said = message;
    await sleep(pollMs, undefined, { signal });
  }
  throw new CliError(`not done after ${deadlineMs / 60_000} minutes; firn status ${metadata.name} says more`);
}

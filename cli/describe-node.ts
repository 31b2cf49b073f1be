import { lastObservedStepSeconds } from '../controllers/nixnode/status.ts';
import type { Condition, NixNode } from '../crds/index.ts';
import { age } from './age.ts';
import { memberLines } from './describe-member.ts';
import { advice, isStale, readyOf, waitsFor } from './node-words.ts';
import { allPrintable, type Terminal } from './terminal.ts';

/** Everything that a person wants to know of one node, top down. Pure but for the colours; `now` in milliseconds. */
export function describeNode(untrusted: NixNode, now: number, terminal: Pick<Terminal, 'style'>): string {
  // A host says what it likes.
  const node = allPrintable(untrusted);
  const sections = [
    headline(node, terminal),
    conditionLines(node, now, terminal),
    releaseLines(node, now),
    memberLines(node, now),
    factLines(node, now),
    adviceLines(node),
  ];
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

function headline(node: NixNode, terminal: Pick<Terminal, 'style'>): string[] {
  const { name, namespace } = node.metadata;
  const ready = readyOf(node);
  const state = ready?.status === 'True' && !isStale(node) ? 'is what its objects say' : 'is not ready';
  const colour = ready?.status === 'True' ? 'green' : ready?.status === 'False' ? 'red' : 'yellow';
  const word = node.status?.summary ?? 'Unknown';
  const waits = waitsFor(node);
  return [
    `${namespace}/${name} ${state}: ${terminal.style(colour, word)}`,
    ...(waits === undefined ? [] : indent(waits)),
  ];
}

function conditionLines(node: NixNode, now: number, terminal: Pick<Terminal, 'style'>): string[] {
  const conditions = (node.status?.conditions ?? []).filter(({ type }) => type !== 'Ready');
  const width = Math.max(0, ...conditions.map(({ type }) => type.length));
  const shown = readyOf(node)?.message;
  return conditions.flatMap((condition) => {
    const since = age(now - Date.parse(condition.lastTransitionTime));
    const sign = terminal.style(colourOf(condition), condition.status.padEnd(7));
    const line = `${condition.type.padEnd(width)}  ${sign}  ${condition.reason}, for ${since}`;
    // The message of Ready is that of the condition that it waits for: it was said above.
    const message = condition.message === shown ? '' : condition.message;
    return [line, ...(message === '' ? [] : indent(message))];
  });
}

/** Of these two, True is nothing to be glad about. */
function colourOf({ type, status }: Condition): 'green' | 'red' | 'yellow' {
  if (status === 'Unknown') return 'yellow';
  const bad = type === 'Stalled' || type === 'Reconciling' ? 'True' : 'False';
  if (type === 'Reconciling' && status === bad) return 'yellow';
  return status === bad ? 'red' : 'green';
}

function releaseLines(node: NixNode, now: number): string[] {
  const { release, trial, bad = [], rebootDue } = node.status ?? {};
  if (release === undefined) return [];
  const asked = release.desired === undefined ? 'none yet' : release.desired;
  const lines = [
    `Release: ${release.current ?? 'none of Firn'} runs, ${release.confirmed ?? 'none'} is confirmed, ${asked} is asked for`,
  ];
  if (release.previous !== undefined) lines.push(`  before that ${release.previous} was confirmed`);
  if (rebootDue) lines.push('  a restart of the host is due');
  if (trial !== undefined && trial.id !== release.confirmed) {
    const left = trial.deadline === undefined ? undefined : Date.parse(trial.deadline) - now;
    const timer = left !== undefined && left > 0 ? `; taken back in ${age(left)} unless it is confirmed` : '';
    const why = trial.reason === undefined ? '' : ` (${trial.reason})`;
    lines.push(`Trial ${trial.attempt} of ${trial.id}: ${trial.state}${why}${timer}`);
    if (trial.message) lines.push(...indent(trial.message));
  }
  for (const { part, hash, reason, at, message } of bad) {
    lines.push(`Taken back: ${part} ${hash.slice(0, 12)}, ${reason}, ${age(now - Date.parse(at))} ago`);
    if (message && message !== trial?.message) lines.push(...indent(message));
  }
  return lines;
}

function factLines(node: NixNode, now: number): string[] {
  const { facts, nixosVersion, lastObserved, generation } = node.status ?? {};
  const { host, port, user } = node.spec.ssh;
  const lines = [`Login: ${user}@${host.includes(':') ? `[${host}]` : host}:${port}`];
  if (facts !== undefined) {
    const system = [
      nixosVersion && `NixOS ${nixosVersion}`,
      facts.system,
      facts.kernel && `kernel ${facts.kernel}`,
    ];
    const memory =
      facts.memoryBytes === undefined ? undefined : `${Math.round(facts.memoryBytes / 2 ** 20)} MiB`;
    const size = [facts.cpus && `${facts.cpus} CPUs`, memory, generation && `generation ${generation}`];
    lines.push(`Host: ${[facts.hostname, ...system, ...size].filter(Boolean).join(', ')}`);
    if (facts.addresses?.length) lines.push(`Addresses: ${facts.addresses.join(', ')}`);
  }
  if (lastObserved !== undefined) lines.push(`Last seen: ${seenAgo(now - Date.parse(lastObserved))}`);
  return lines;
}

/** Within a step of `lastObserved` nothing more exact is known. */
const seenAgo = (ms: number): string =>
  ms <= lastObservedStepSeconds * 1000 ? 'in the last ten minutes' : `${age(ms)} ago`;

function adviceLines(node: NixNode): string[] {
  const lines = advice(node);
  return lines.length === 0 ? [] : ['What helps:', ...lines.map((line) => `  ${line}`)];
}

const indent = (text: string): string[] => text.split('\n').map((line) => `  ${line}`);

/**
 * The operator is killed, the connection cut, the host switched off, before, in and after each step of a release: it ends
 * with a release that is confirmed, whole, and entered once.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { NixNode } from '../../crds/index.ts';
import { arm, type Case, isVersion, manifestOf, SkippingClock } from '../support/chaos/case.ts';
import { rows } from '../support/chaos/rows.ts';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { installFirn } from '../support/firn.ts';
import { type RawApi, rawApi } from '../support/firn-api.ts';
import { apply, conditionOf, isReady, namespace, sshKeySecret } from '../support/fleet.ts';
import { expectHonestStatus } from '../support/honest-status.ts';
import { type LoneOperator, startLoneOperator } from '../support/lone-operator.ts';
import { type ScriptedFleet, startScriptedHosts } from '../support/ssh-server/scripted-hosts.ts';
import { waitFor } from '../support/wait.ts';

/** More than there are cases: a call that stands still holds a worker. */
const workers = 256;
/** Less than the deadline of any call: at the kill all still wait where they were stopped. */
const longestHoldMs = 25_000;

let cluster: TestCluster;
let fleet: ScriptedFleet;
let api: RawApi;
let operator: LoneOperator;
let cases: Case[];
let nodes = new Map<string, NixNode>();

beforeAll(async () => {
  cluster = await startTestCluster();
  api = rawApi(cluster);
  await installFirn(cluster);
  const clocks = rows.map(() => new SkippingClock());
  const durations = { build: 300, activate: 300, confirm: 50, boot: 300 };
  const script = (index: number) => ({ clock: clocks[index]!, durations });
  fleet = await startScriptedHosts({ count: rows.length, script });
  await apply(cluster, sshKeySecret(fleet.privateKey));
  cases = rows.map((row, index) => {
    const [host, clock] = [fleet.hosts[index]!, clocks[index]!];
    return { ...row, node: `node-${index}`, host, clock, heldAt: null };
  });
  operator = await startLoneOperator(cluster, { workers });
  await deploy(
    cases.filter(({ step }) => step.release === 'second'),
    1,
  );
  await goThroughCuts(cases.filter(({ what }) => /cut$/.test(what)));
  await goThroughKill(cases.filter(({ what }) => /^operator/.test(what)));
}, 240_000);

afterAll(async () => {
  await operator?.[Symbol.asyncDispose]();
  await api?.[Symbol.asyncDispose]();
  await fleet?.close();
  await cluster?.stop();
});

async function goThroughCuts(some: Case[]): Promise<void> {
  for (const one of some) arm(one, Promise.resolve());
  await deploy(some, 2);
}

/** One death of the operator is that of all cases: each waits where it is to be killed. */
async function goThroughKill(some: Case[]): Promise<void> {
  const [dead, late] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const areLate = some.filter(({ what }) => /late$/.test(what));
  for (const one of some) arm(one, areLate.includes(one) ? late.promise : dead.promise);
  await apply(cluster, ...some.map((one) => manifestOf(one, 2)));
  await waitFor('all calls to stand still', () => some.every(({ heldAt }) => heldAt !== null), {
    withinMs: 60_000,
    otherwise: () => some.filter(({ heldAt }) => heldAt === null).map(titleOf),
  });
  const heldMs = Date.now() - Math.min(...some.map(({ heldAt }) => heldAt!));
  if (heldMs > longestHoldMs) throw new Error(`calls stood still for ${heldMs} ms, and ended`);
  await operator.kill();
  await waitFor('connections to end', () => some.every(({ host }) => host.connections === 0));
  dead.resolve();
  const gone = some.filter(({ what }) => what === 'operator gone');
  await waitFor('hosts to revert by themselves', () =>
    gone.every(({ host }) => host.state.trial?.state === 'Reverted'),
  );
  // Their user has thought better of it, too: what the dead operator was about to do is not wanted any more.
  await apply(cluster, ...areLate.map((one) => manifestOf(one, 1)));
  operator = await startLoneOperator(cluster, { workers });
  await settle(some);
  late.resolve();
  const isAnswered = (one: Case) => lateCallOf(one)?.answer !== undefined;
  await rest(() => areLate.every(isAnswered), 5_000);
}

async function deploy(some: Case[], version: number): Promise<void> {
  await apply(cluster, ...some.map((one) => manifestOf(one, version)));
  await settle(some);
}

async function settle(some: Case[]): Promise<void> {
  const rests = ({ node }: Case) => nodes.get(node) && isAtRest(nodes.get(node)!);
  await rest(async () => {
    const { body } = await api.send('GET', `/apis/firn.dev/v1alpha1/namespaces/${namespace}/nixnodes`);
    nodes = new Map((body.items as NixNode[]).map((node) => [node.metadata.name, node]));
    return some.every(rests);
  }, 60_000);
}

/** Until nothing moves any more. What has not come to rest in time is for its own test to say. */
async function rest(isOver: () => Promise<boolean> | boolean, withinMs: number): Promise<void> {
  const end = Date.now() + withinMs;
  do await sleep(500);
  while (!(await isOver()) && Date.now() < end);
}

const isAtRest = (node: NixNode): boolean =>
  node.status?.observedGeneration === node.metadata.generation &&
  (isReady(node) || conditionOf(node, 'Stalled')?.status === 'True');

const titleOf = ({ what, step, at }: { what: string; step: { name: string }; at: string }) =>
  `${what}, ${step.name}: ${at}`;

/** The call of the operator that died. */
const lateCallOf = ({ host, step }: Case) =>
  host.calls.findLast(({ subcommand, fields }) => subcommand === step.subcommand && fields.fence === 1);

/** The release that is desired runs, confirmed and whole, and is what a boot comes back to. */
function expectConfirmed({ host, node: name }: Case, version: number): void {
  const node = nodes.get(name)!;
  expectHonestStatus(node);
  expect(conditionOf(node, 'Ready')).toMatchObject({ status: 'True' });
  const { desired } = node.status!.release!;
  expect(node.status!.release).toMatchObject({ current: desired, confirmed: desired });
  expectRunning(host, desired!, version);
}

function expectRunning({ state }: Case['host'], id: string, version: number): void {
  const release = state.releases.get(id)!;
  expect(state).toMatchObject({ current: id, confirmed: id });
  expect(state.running).toMatchObject({ system: release.system, profile: release.system });
  expect(isVersion(version)(state.stored.system.get(release.parts.system)!)).toBe(true);
  for (const { parts } of state.releases.values()) {
    expect(state.stored.system.has(parts.system)).toBe(true);
    expect(state.stored.data.has(parts.data) && state.stored.secrets.has(parts.secrets)).toBe(true);
  }
}

const titled = rows.map((row, index) => [titleOf(row), row.what, index] as const);

test.each(titled)('%s', (_, what, index) => {
  const one = cases[index]!;
  const { host, step, heldAt } = one;
  const { counts, trial } = host.state;
  expect(host.violations).toEqual([]);
  // What was laid has been met.
  if (/^operator/.test(what)) expect(heldAt).not.toBeNull();
  expect(host.faults.take('cut') ?? host.faults.take('meanwhile')).toBeNull();
  const releases = step.release === 'first' ? 1 : 2;
  const entered = step.subcommand === 'reboot' ? releases - 1 : releases;
  switch (what) {
    case 'operator gone':
      expect(conditionOf(nodes.get(one.node)!, 'Stalled')).toMatchObject({ status: 'True' });
      expect(conditionOf(nodes.get(one.node)!, 'Ready')).toMatchObject({ reason: 'NotConfirmed' });
      expect(trial).toMatchObject({ state: 'Reverted', reason: 'NotConfirmed', attempt: 1 });
      return expectRunning(host, host.state.confirmed!, 1);
    case 'operator killed, its call late':
      expect(lateCallOf(one)?.answer).toBe('Fenced');
      expect(['Confirmed', 'RebootDue']).toContain(trial!.state);
      expect(nodes.get(one.node)!.status!.rebootDue).toBeUndefined();
      return expectConfirmed(one, 1);
    case 'power cut':
      expect(trial!.state).toBe('Confirmed');
      expect(trial!.attempt).toBeLessThanOrEqual(2);
      return expectConfirmed(one, 2);
    default:
      // Nothing is done twice because nobody heard that it was done. A boot into a release is no switch to it.
      expect(counts).toMatchObject({ builds: releases, switches: entered });
      expect(trial).toMatchObject({ state: 'Confirmed', attempt: 1 });
      return expectConfirmed(one, 2);
  }
});

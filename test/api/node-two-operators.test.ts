/** Two operators at once, with nothing to keep them apart but the token that hosts remember. */
import { isVersion } from '../support/chaos/case.ts';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { installFirn } from '../support/firn.ts';
import {
  apply,
  conditionOf,
  isReady,
  isStalled,
  nodeManifest,
  sshKeySecret,
  waitForNode,
} from '../support/fleet.ts';
import { expectHonestStatus } from '../support/honest-status.ts';
import { type LoneOperator, startLoneOperator } from '../support/lone-operator.ts';
import {
  type ScriptedFleet,
  type ScriptedHost,
  startScriptedHosts,
} from '../support/ssh-server/scripted-hosts.ts';
import { waitFor } from '../support/wait.ts';

let cluster: TestCluster;
let fleet: ScriptedFleet;
let first: LoneOperator;
let second: LoneOperator;

beforeAll(async () => {
  cluster = await startTestCluster();
  await installFirn(cluster);
  fleet = await startScriptedHosts({ count: 9, script: () => ({ durations: { build: 1_500 } }) });
  await apply(cluster, sshKeySecret(fleet.privateKey));
}, 120_000);

afterAll(async () => {
  await first?.[Symbol.asyncDispose]();
  await second?.[Symbol.asyncDispose]();
  await fleet?.close();
  await cluster?.stop();
});

const applyVersion = (version: number) =>
  apply(
    cluster,
    nodeManifest('alpha', fleet.hosts[0]!, { modules: [{ inline: `{ } # version ${version}` }] }),
  );

const runningVersion = ({ state }: ScriptedHost, version: number): boolean => {
  const release = state.releases.get(state.confirmed ?? '');
  return (
    release?.system === state.running.system &&
    isVersion(version)(state.stored.system.get(release.parts.system)!)
  );
};

const answersTo = ({ calls }: ScriptedHost, fence: number) =>
  calls.filter(({ fields }) => fields.fence === fence).map(({ answer }) => answer);

const isFencedIn = (operator: LoneOperator) => () => operator.log().includes('"reason":"Fenced"');

test('an operator that comes back finds the door closed, and what it had on the way too', async () => {
  const [host] = fleet.hosts;
  first = await startLoneOperator(cluster);
  await applyVersion(1);
  await waitForNode(cluster, 'alpha', 'Ready', isReady);

  const gate = Promise.withResolvers<void>();
  const freeze = () => {
    first.freeze();
    return gate.promise;
  };
  host!.faults.add({ kind: 'meanwhile', at: 'beforeEffect', subcommand: 'activate', times: 1, do: freeze });
  await applyVersion(2);
  await waitFor('an activation under way', () => host!.calls.at(-1)?.subcommand === 'activate');
  const late = host!.calls.at(-1)!;

  await applyVersion(3);
  second = await startLoneOperator(cluster);
  await waitForNode(cluster, 'alpha', 'Ready', isReady);
  expect(host!.state.owner?.fence).toBe(2);
  gate.resolve();
  await waitFor('the late call to end', () => late.answer !== undefined);
  expect(late).toMatchObject({ fields: { fence: 1 }, answer: 'Fenced' });

  first.thaw();
  await waitFor('the former operator to say so', isFencedIn(first));
  const node = await waitForNode(cluster, 'alpha', 'Ready', isReady);
  expectHonestStatus(node);
  expect(runningVersion(host!, 3)).toBe(true);
  // Version 2 never ran.
  expect(host!.state.counts.switches).toBe(2);
  expect(host!.violations).toEqual([]);
});

test('an operator that was replaced says so, and changes nothing', async () => {
  const [host] = fleet.hosts;
  const before = answersTo(host!, 1).length;
  second.freeze();
  await applyVersion(4);
  const node = await waitForNode(cluster, 'alpha', 'stalled', isStalled('Fenced'));
  expect(conditionOf(node, 'Ready')?.message).toMatch(/newer operator/);
  expectHonestStatus(node);
  expect(runningVersion(host!, 3)).toBe(true);

  second.thaw();
  await waitForNode(cluster, 'alpha', 'Ready', isReady);
  expect(runningVersion(host!, 4)).toBe(true);
  const since = answersTo(host!, 1).slice(before);
  expect(since).not.toEqual([]);
  expect(new Set(since)).toEqual(new Set(['Fenced']));
  expect(host!.violations).toEqual([]);
});

test('of two that meet at a host, one deploys', async () => {
  const others = fleet.hosts.slice(1);
  await apply(cluster, ...others.map((host) => nodeManifest(host.name, host)));
  for (const host of others) {
    await waitForNode(cluster, host.name, 'Ready', isReady);
    expect(host.violations).toEqual([]);
    expect(host.state.counts).toMatchObject({ builds: 1, switches: 1 });
  }
  const isContested = ({ calls }: ScriptedHost) =>
    new Set(calls.map(({ fields }) => fields.fence ?? 0)).size > 2;
  expect(others.some(isContested)).toBe(true);
});

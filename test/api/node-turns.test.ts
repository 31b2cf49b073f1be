/**
 * Members change their systems in turns, from `kubectl apply` to what hosts are asked to do. Frontends, since those are part
 * of the cluster without a Node, which nobody here could register.
 */
import type { NixClusterStatus, NixNode } from '../../crds/index.ts';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { installFirn, type RunningFirn, startFirn } from '../support/firn.ts';
import {
  apply,
  conditionOf,
  findNode,
  getNode,
  isDeployed,
  isReady,
  namespace,
  sshKeySecret,
  waitForNode,
} from '../support/fleet.ts';
import { clusterManifest, clusterName, memberManifest, pkiManifest } from '../support/ground.ts';
import { isBad } from '../support/node-failures/bad-release.ts';
import { waitForObject } from '../support/objects.ts';
import {
  type ScriptedFleet,
  type ScriptedHost,
  startScriptedHosts,
} from '../support/ssh-server/scripted-hosts.ts';
import { waitFor } from '../support/wait.ts';

let cluster: TestCluster;
let operator: RunningFirn;
let fleet: ScriptedFleet;
/** The one that was the first to try what fails. */
let broken = '';

const edges = ['edge1', 'edge2', 'edge3'];
const names = ['primary', ...edges, 'edge4'];
const hostOf = (name: string): ScriptedHost => fleet.hosts[names.indexOf(name)]!;

function member(name: string): object {
  const roles = [name === 'primary' ? 'control-plane' : 'frontend'];
  const object = memberManifest(name, hostOf(name), { roles }) as { metadata: object };
  return { ...object, metadata: { ...object.metadata, labels: { role: roles[0] } } };
}
const change = (inline: string): Promise<void> =>
  apply(cluster, {
    apiVersion: 'firn.dev/v1alpha1',
    kind: 'NixModule',
    metadata: { name: 'change', namespace },
    spec: { inline, nodeSelector: { matchLabels: { role: 'frontend' } } },
  });

beforeAll(async () => {
  cluster = await startTestCluster();
  await installFirn(cluster);
  operator = await startFirn(cluster);
  const message = 'switch-to-configuration ended with status 4';
  fleet = await startScriptedHosts({
    count: names.length,
    script: () => ({
      faults: [{ kind: 'activationFails', reason: 'ActivationFailed', message, units: [], when: isBad }],
    }),
  });
  const network = { meshRef: undefined, routing: 'External' };
  await apply(cluster, sshKeySecret(fleet.privateKey), clusterManifest({ network }), pkiManifest());
  await apply(cluster, member('primary'), ...edges.map(member));
}, 120_000);
afterAll(async () => {
  await operator?.stop();
  await fleet?.close();
  await cluster?.stop();
});

const rolledOut = ({ conditions }: NixClusterStatus) => conditions?.find(({ type }) => type === 'RolledOut');
const clusterSays = (what: string, fits: (status: NixClusterStatus) => boolean) =>
  waitForObject<NixClusterStatus>(
    ...([cluster, 'nixclusters', clusterName, what] as const),
    ({ status }) => status !== undefined && fits(status),
    120_000,
  );
const parts = async (name: string) => (await getNode(cluster, name)).status?.parts;
const systems = () => Promise.all(edges.map(async (name) => (await parts(name))?.system));

/** From where a host began its newest trial to where it was kept. */
function trialOf(name: string): { from: number; to: number } {
  const last = (subcommand: string) =>
    hostOf(name).calls.findLast((call) => call.subcommand === subcommand)?.at ?? Number.NaN;
  return { from: last('activate'), to: last('confirm') };
}
async function changed(before: readonly unknown[]): Promise<void> {
  const isOther = async () => (await systems()).every((system, at) => system !== before[at]);
  await waitFor('another system on all', isOther, { withinMs: 120_000, everyMs: 100 });
  for (const name of edges) await waitForNode(cluster, name, 'ready', isReady, 120_000);
}

test('hosts that are not part of the cluster yet wait for nobody', async () => {
  for (const name of edges) await waitForNode(cluster, name, 'ready', isReady, 120_000);
  await waitForNode(cluster, 'primary', 'deployed', isDeployed, 60_000);
});

test('then one changes after the other', async () => {
  const before = await systems();
  await change('{ } # one');
  await changed(before);
  const trials = edges.map(trialOf).sort((a, b) => a.from - b.from);
  for (const [at, { from }] of trials.slice(1).entries()) expect(from).toBeGreaterThan(trials[at]!.to);
  await clusterSays('rolled out', (status) => rolledOut(status)?.status === 'True');
});

test('what fails on one gets no further, and data go on meanwhile', async () => {
  const before = await systems();
  await change('{ } # bad');
  const { status } = await clusterSays('held', (one) => rolledOut(one)?.reason === 'RolloutHeld');
  const failed = status!.nodes!.filter(({ rollout }) => rollout?.state === 'Held').map(({ name }) => name);
  expect(failed).toHaveLength(1);
  [broken = ''] = failed;
  const [other = '', third = ''] = edges.filter((name) => name !== broken);
  expect(rolledOut(status!)!.message).toMatch(
    new RegExp(
      `^1 of 4 nodes run what they should: release [0-9a-f]{12} failed on ${broken} \\(ActivationFailed\\)`,
    ),
  );
  const words = new RegExp(
    `^release [0-9a-f]{12} waits for the roll-out of cluster demo: release [0-9a-f]{12} failed on ${broken}`,
  );
  const isWaiting = (node: NixNode): boolean => {
    const applied = conditionOf(node, 'Applied');
    return applied?.reason === 'WaitingForRollout' && words.test(applied.message);
  };
  const waiting = await waitForNode(cluster, other, 'waiting', isWaiting, 60_000);
  expect(waiting.status?.release).toMatchObject({ class: 'system', built: true });

  // A node joins: its addresses reach the others, under the systems that they have.
  const { data } = (await parts(other))!;
  await apply(cluster, member('edge4'));
  await waitFor('its addresses', async () => (await parts(other))?.data !== data, {
    ...{ withinMs: 120_000, everyMs: 100 },
  });
  expect(await systems()).toEqual(before);
  for (const name of [other, third]) expect(trialOf(name).from).toBeLessThan(Number.POSITIVE_INFINITY);
  for (const name of [other, third]) expect((await getNode(cluster, name)).status?.bad).toBeUndefined();
});

test('the next release goes there first, and then to the others', async () => {
  const before = await systems();
  await change('{ } # better');
  await changed(before);
  const first = trialOf(broken);
  for (const name of edges.filter((one) => one !== broken))
    expect(trialOf(name).from).toBeGreaterThan(first.to);
});

test('whoever waits for his turn goes with his cluster', async () => {
  await change('{ } # bad');
  await clusterSays('held', (one) => rolledOut(one)?.reason === 'RolloutHeld');
  await cluster.kubectl(['delete', 'nixnode', 'edge3', '-n', namespace, '--wait=false']);
  await waitFor('it is gone', async () => (await findNode(cluster, 'edge3')) === undefined, {
    ...{ withinMs: 120_000, everyMs: 200 },
  });
  expect(fleet.hosts.flatMap(({ violations }) => violations)).toEqual([]);
});

/** What becomes of hosts whose NixNode is deleted. All of it at once, each on a host of its own. */
import { newCanary } from '../support/canary.ts';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { waitForEvent } from '../support/events.ts';
import { installFirn, type RunningFirn, startFirn } from '../support/firn.ts';
import {
  apply,
  conditionOf,
  findNode,
  getNode,
  isReady,
  namespace,
  nodeManifest,
  sshKeySecret,
  waitForNode,
} from '../support/fleet.ts';
import { expectHonestStatus } from '../support/honest-status.ts';
import {
  type ScriptedFleet,
  type ScriptedHost,
  startScriptedHosts,
} from '../support/ssh-server/scripted-hosts.ts';
import { waitFor } from '../support/wait.ts';

type Scene = {
  name: string;
  host: ScriptedHost;
  /** Deletes it; resolves when the API server has marked it. */
  remove(): Promise<void>;
  /** Resolves when the object is gone, with how many milliseconds that took. */
  gone(withinMs?: number): Promise<number>;
  /** Waits for the reason of Ready while the object is being deleted, and returns its message. */
  saying(reason: string): Promise<string>;
  event(reason: string): Promise<{ type: string; note: string }>;
  change(spec: object): Promise<void>;
};

type Case = {
  what: string;
  spec: object;
  /** Default `ready`: the scene begins with a node that is. */
  from?: 'ready' | 'applied';
  prepare?: (host: ScriptedHost) => void;
  scene: (scene: Scene) => Promise<void>;
};

const reset = { deletionPolicy: 'Reset' };
const shortReset = { ...reset, deletionTimeout: '10s' };
const ownKey = (name: string) => ({ keyRef: { name } });
const subcommands = (host: ScriptedHost): string[] => host.calls.map(({ subcommand }) => subcommand);

const cases: Case[] = [
  {
    what: 'Orphan leaves the host as it is, for others to take over',
    spec: { files: [{ path: '/run/keys/licence', secretRef: { name: 'licence', key: 'text' } }] },
    async scene({ host, remove, gone, event }) {
      const { current, confirmed, running, stored } = structuredClone(host.state);
      await remove();
      await gone();
      expect(host.state).toMatchObject({ current, confirmed, running, stored, owner: null });
      expect(host.state.current).not.toBeNull();
      expect(await event('Orphaned')).toMatchObject({
        type: 'Normal',
        note: expect.stringMatching(/anyone to take over/),
      });
    },
  },
  {
    what: 'Reset goes back to what ran before',
    spec: reset,
    async scene({ host, remove, gone, event }) {
      const before = host.state.release0!.running;
      expect(host.state.running.system).not.toBe(before);
      await remove();
      await gone();
      expect(host.state).toMatchObject({ owner: null, release0: null, current: null, confirmed: null });
      expect(host.state.running.system).toBe(before);
      expect(await event('Reset')).toMatchObject({ type: 'Normal' });
    },
  },
  {
    what: 'Reset of a host on which nothing was done yet has nothing to do',
    spec: reset,
    from: 'applied',
    prepare: (host) =>
      void host.faults.add({ kind: 'refuse', subcommand: 'claim', code: 'NoNix', message: 'no' }),
    async scene({ host, remove, gone, saying }) {
      await saying('NoNix');
      await remove();
      await gone();
      expect(subcommands(host)).not.toContain('reset');
    },
  },
  {
    what: 'a dead host holds a Reset up until the deadline, and says why',
    spec: shortReset,
    async scene({ host, remove, gone, saying, event }) {
      host.faults.add({ kind: 'refuseConnection' });
      host.cut();
      await remove();
      expect(await saying('ConnectionRefused')).toMatch(/start sshd/i);
      expect(await gone()).toBeGreaterThan(8_000);
      const { type, note } = await event('ResetTimedOut');
      expect(type).toBe('Warning');
      expect(note).toMatch(/within 10s and is left as it is: .*refuses connections/);
    },
  },
  {
    what: 'a reset that does not end does not hold the object for ever',
    spec: shortReset,
    prepare: (host) => Object.assign(host.durations, { activate: 100 }),
    async scene({ host, remove, gone, event }) {
      host.durations.activate = 3_600_000;
      await remove();
      await gone();
      expect((await event('ResetTimedOut')).note).toMatch(/still at it/);
    },
  },
  {
    what: 'a dead host does not hold an Orphan up',
    spec: {},
    async scene({ host, remove, gone, event }) {
      host.faults.add({ kind: 'refuseConnection' });
      host.cut();
      await remove();
      expect(await gone()).toBeLessThan(8_000);
      expect(await event('Orphaned')).toMatchObject({
        type: 'Warning',
        note: expect.stringMatching(/was not told.*must adopt it/),
      });
    },
  },
  {
    what: 'a reset that fails says so, and is tried again',
    spec: reset,
    async scene({ host, remove, gone, saying }) {
      const removeFault = host.faults.add({
        kind: 'refuse',
        subcommand: 'reset',
        code: 'Failed',
        message: 'oh',
      });
      const job = { state: 'Failed' as const, message: 'the boot loader cannot be set: is /boot full?' };
      host.state.reset = { ...job, startedAt: Math.floor(Date.now() / 1000), subject: '', extra: '' };
      await remove();
      expect(await saying('ResetFailed')).toMatch(/is \/boot full\?; it is tried again/);
      removeFault();
      await gone(40_000);
      expect(host.state).toMatchObject({ owner: null, release0: null });
    },
  },
  {
    what: 'a key that comes back lets the Reset go on',
    spec: { ...reset, ssh: ownKey('gone-and-back') },
    async scene({ host, remove, gone, saying }) {
      await cluster.kubectl(['delete', 'secret', '-n', namespace, 'gone-and-back']);
      await remove();
      expect(await saying('SecretNotFound')).toMatch(/Secret gone-and-back does not exist/);
      expect(host.state.owner).not.toBeNull();
      await apply(cluster, sshKeySecret(fleet.privateKey, 'gone-and-back'));
      await gone();
      expect(host.state).toMatchObject({ owner: null, release0: null });
    },
  },
  {
    what: 'without its key a Reset ends at the deadline',
    spec: { ...shortReset, ssh: ownKey('gone') },
    async scene({ remove, gone, event }) {
      await cluster.kubectl(['delete', 'secret', '-n', namespace, 'gone']);
      await remove();
      await gone();
      expect((await event('ResetTimedOut')).note).toMatch(/Secret gone does not exist/);
    },
  },
  {
    what: 'who cannot wait for a Reset changes it to Orphan',
    spec: { ...reset, ssh: ownKey('gone-too') },
    async scene({ host, remove, gone, saying, change, event }) {
      await cluster.kubectl(['delete', 'secret', '-n', namespace, 'gone-too']);
      await remove();
      await saying('SecretNotFound');
      await change({ deletionPolicy: 'Orphan' });
      expect(await gone()).toBeLessThan(8_000);
      expect(host.state.current).not.toBeNull();
      expect((await event('Orphaned')).note).toMatch(/Secret gone-too does not exist/);
    },
  },
  {
    what: 'a build that is under way does not hold a Reset up',
    spec: reset,
    from: 'applied',
    prepare: (host) => Object.assign(host.durations, { build: 3_600_000 }),
    async scene({ host, remove, gone, saying }) {
      await saying('Building');
      await remove();
      await gone();
      expect(host.state).toMatchObject({ owner: null, release0: null, build: null });
    },
  },
  {
    what: 'a Reset waits for the end of an activation',
    spec: reset,
    from: 'applied',
    prepare: (host) => Object.assign(host.durations, { activate: 6_000 }),
    async scene({ host, remove, gone, saying }) {
      await saying('Activating');
      host.durations.activate = 100;
      await remove();
      expect(await saying('Busy')).toMatch(/is on trial|is Activating/);
      await gone();
      expect(host.state).toMatchObject({ owner: null, release0: null, trial: null });
      expect(host.state.counts.boots).toBe(1);
    },
  },
  {
    what: 'an Orphan waits for the end of a trial, so that the host is let go in the end',
    spec: { deploy: { confirmWithin: '10s' } },
    from: 'applied',
    prepare: (host) => {
      host.faults.add({ kind: 'refuse', subcommand: 'confirm', code: 'Busy', message: 'not yet' });
    },
    async scene({ host, remove, gone }) {
      await waitFor('the trial', () => host.state.trial?.state === 'AwaitingConfirmation');
      await remove();
      await gone(40_000);
      expect(host.state).toMatchObject({ owner: null, trial: { state: 'Reverted' } });
    },
  },
  {
    what: 'an Orphan keeps what is on trial as soon as it can be confirmed',
    spec: {},
    from: 'applied',
    prepare: (host) => {
      host.faults.add({ kind: 'refuse', subcommand: 'confirm', code: 'Busy', message: 'not yet' });
    },
    async scene({ host, remove, gone }) {
      await waitFor('the trial', () => host.state.trial?.state === 'AwaitingConfirmation');
      await remove();
      host.faults.clear();
      await gone(10_000);
      expect(host.state).toMatchObject({ owner: null, trial: { state: 'Confirmed' } });
    },
  },
  {
    what: 'a host that went over to another installation is not reset by this one',
    spec: reset,
    async scene({ host, remove, gone, event }) {
      const running = host.state.running.system;
      host.state.owner = { installation: 'f'.repeat(32), fence: 9, owner: 'other/alpha', uid: 'x' };
      await remove();
      await gone();
      expect(host.state).toMatchObject({ owner: { owner: 'other/alpha' }, running: { system: running } });
      const { type, note } = await event('Orphaned');
      expect(type).toBe('Warning');
      expect(note).toMatch(/not reset: it belongs to other\/alpha of the installation f{32}/);
    },
  },
];

let cluster: TestCluster;
let operator: RunningFirn;
let fleet: ScriptedFleet;
const scenes = new Map<string, Promise<void>>();

beforeAll(async () => {
  cluster = await startTestCluster();
  await installFirn(cluster);
  operator = await startFirn(cluster);
  fleet = await startScriptedHosts({ count: cases.length + 2 });
  const keys = ['deploy-key', 'gone-and-back', 'gone', 'gone-too'];
  await apply(cluster, ...keys.map((name) => sshKeySecret(fleet.privateKey, name)), {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'licence', namespace },
    stringData: { text: newCanary() },
  });
  const nodes = cases.map(({ spec, prepare }, index) => {
    prepare?.(fleet.hosts[index]!);
    return manifest(index, spec);
  });
  await apply(cluster, ...nodes);
  for (const [index, one] of cases.entries()) {
    const played = play(index, one);
    // It is for the test of that name to fail with it.
    played.catch(() => {});
    scenes.set(one.what, played);
  }
}, 120_000);

afterAll(async () => {
  await Promise.allSettled(scenes.values());
  await operator?.stop();
  await fleet?.close();
  await cluster?.stop();
}, 120_000);

const nameOf = (index: number): string => `node-${index}`;

function manifest(index: number, spec: object): object {
  const host = fleet.hosts[index]!;
  const node = nodeManifest(nameOf(index), host) as { spec: { ssh: object } };
  const { ssh, ...rest } = spec as { ssh?: object };
  return { ...node, spec: { ...node.spec, ...rest, ssh: { ...node.spec.ssh, ...ssh } } };
}

async function play(index: number, { spec, from = 'ready', scene }: Case): Promise<void> {
  const [name, host] = [nameOf(index), fleet.hosts[index]!];
  if (from === 'ready') await waitForNode(cluster, name, 'Ready', isReady);
  let deletedAt = 0;
  await scene({
    name,
    host,
    async remove() {
      deletedAt = Date.now();
      const done = await cluster.kubectl(['delete', 'nixnode', '-n', namespace, name, '--wait=false']);
      expect(done.stderr).toBe('');
    },
    async gone(withinMs = 25_000) {
      let last: unknown;
      const ask = async () => {
        last = await findNode(cluster, name);
        return last === undefined;
      };
      await waitFor(`${name} to go`, ask, { withinMs, everyMs: 300, otherwise: () => last });
      return Date.now() - deletedAt;
    },
    async saying(reason) {
      const says = (node: Parameters<typeof conditionOf>[0]) => conditionOf(node, 'Ready')?.reason === reason;
      const node = await waitForNode(cluster, name, reason, says);
      expectHonestStatus(node);
      return conditionOf(node, 'Ready')!.message;
    },
    event: (reason) => waitForEvent(cluster, name, reason),
    change: (changes) => apply(cluster, manifest(index, { ...spec, ...changes })),
  });
}

test.each(cases.map(({ what }) => what))('%s', (what) => scenes.get(what));

test('two objects for one host: the deletion of the second is not about the host', async () => {
  const index = cases.length;
  const host = fleet.hosts[index]!;
  await apply(cluster, nodeManifest('first', host));
  const first = await waitForNode(cluster, 'first', 'Ready', isReady);
  await apply(cluster, nodeManifest('second', host, reset));
  await waitForNode(
    cluster,
    'second',
    'refused',
    (node) => conditionOf(node, 'Ready')?.reason === 'OwnedByOther',
  );
  const deleted = await cluster.kubectl(['delete', 'nixnode', '-n', namespace, 'second', '--timeout=20s']);
  expect(deleted.stderr).toBe('');
  expect((await waitForEvent(cluster, 'second', 'Orphaned')).note).toMatch(/it belongs to fleet\/first/);
  expect(host.state).toMatchObject({
    owner: { owner: 'fleet/first' },
    current: first.status?.release?.current,
  });
  expect(isReady(await getNode(cluster, 'first'))).toBe(true);
});

test('an operator that ends in the middle of a reset leaves the rest to the next one', async () => {
  const index = cases.length + 1;
  const host = fleet.hosts[index]!;
  await apply(cluster, nodeManifest('last', host, reset));
  await waitForNode(cluster, 'last', 'Ready', isReady);
  host.durations.activate = 1_500;
  const began = new Promise<void>((resolve) => {
    host.onCall = ({ subcommand }) => subcommand === 'reset' && resolve();
  });
  await cluster.kubectl(['delete', 'nixnode', '-n', namespace, 'last', '--wait=false']);
  await began;
  await operator.stop();
  expect((await getNode(cluster, 'last')).metadata.deletionTimestamp).toBeDefined();
  operator = await startFirn(cluster);
  const gone = await cluster.kubectl([
    'wait',
    '--for=delete',
    'nixnode/last',
    '-n',
    namespace,
    '--timeout=20s',
  ]);
  expect(gone).toMatchObject({ code: 0 });
  expect(host.state).toMatchObject({ owner: null, release0: null });
  expect(subcommands(host).filter((name) => name === 'reset')).toHaveLength(1);
});

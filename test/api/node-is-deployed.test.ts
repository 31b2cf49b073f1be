import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { installFirn, type RunningFirn, startFirn } from '../support/firn.ts';
import {
  apply,
  conditionOf,
  isReady,
  isStalled,
  namespace,
  nodeManifest,
  sshKeySecret,
  waitForNode,
} from '../support/fleet.ts';
import { type ScriptedFleet, startScriptedHosts } from '../support/ssh-server/scripted-hosts.ts';

let cluster: TestCluster;
let operator: RunningFirn;
let fleet: ScriptedFleet;

beforeAll(async () => {
  cluster = await startTestCluster();
  await installFirn(cluster);
  operator = await startFirn(cluster);
  fleet = await startScriptedHosts({ count: 3 });
  await apply(cluster, sshKeySecret(fleet.privateKey));
}, 120_000);

afterAll(async () => {
  await operator?.stop();
  await fleet?.close();
  await cluster?.stop();
});

test('a node is deployed, confirmed and says so', async () => {
  await apply(cluster, nodeManifest('alpha', fleet.hosts[0]!));
  const node = await waitForNode(cluster, 'alpha', 'Ready', isReady);
  expect(node.status?.summary).toBe('Healthy');
  expect(node.status?.release?.current).toBe(node.status?.release?.desired);
  expect(fleet.hosts[0]!.state.confirmed).toBe(node.status?.release?.confirmed);
});

test('an object that is created anew stays at the nixpkgs that its host was built from', async () => {
  const [host] = fleet.hosts;
  const asked = () => host!.calls.filter(({ subcommand }) => subcommand === 'resolve').length;
  const before = await waitForNode(cluster, 'alpha', 'Ready', isReady);
  expect(asked()).toBe(1);
  await cluster.kubectl([
    'patch',
    'nixnode',
    'alpha',
    '-n',
    namespace,
    '--type=merge',
    '-p',
    '{"metadata":{"finalizers":null}}',
  ]);
  await cluster.kubectl(['delete', 'nixnode', 'alpha', '-n', namespace]);
  await apply(cluster, nodeManifest('alpha', host!));
  const after = await waitForNode(cluster, 'alpha', 'Ready', isReady);
  expect(after.metadata.uid).not.toBe(before.metadata.uid);
  expect(after.status?.nixpkgs).toEqual(before.status?.nixpkgs);
  expect(after.status?.release?.confirmed).toBe(before.status?.release?.confirmed);
  expect(asked()).toBe(1);
});

test('a module that does not build leaves the last good release and says why', async () => {
  const [, host] = fleet.hosts;
  await apply(cluster, nodeManifest('beta', host!));
  const good = await waitForNode(cluster, 'beta', 'Ready', isReady);
  host!.faults.add({
    kind: 'buildFails',
    reason: 'BuildFailed',
    message: 'error: builder for app failed',
    when: (bundle) => [...bundle.values()].some((text) => text.toString().includes('no-such-thing')),
  });
  await apply(cluster, nodeManifest('beta', host!, { modules: [{ inline: '{ } # no-such-thing' }] }));
  const bad = await waitForNode(cluster, 'beta', 'stalled', isStalled('BuildFailed'));
  expect(conditionOf(bad, 'Built')?.message).toContain('error: builder for app failed');
  expect(bad.status?.release?.current).toBe(good.status?.release?.current);

  await apply(cluster, nodeManifest('beta', host!, { modules: [{ inline: '{ } # works' }] }));
  await waitForNode(cluster, 'beta', 'Ready', isReady);
});

test('a wrong host key is refused before anything is sent', async () => {
  const [right, , host] = fleet.hosts;
  await apply(
    cluster,
    nodeManifest('gamma', { ...host!, address: host!.address, port: host!.port, hostKey: right!.hostKey }),
  );
  const node = await waitForNode(cluster, 'gamma', 'stalled', isStalled('HostKeyMismatch'));
  expect(conditionOf(node, 'Reachable')?.message).toMatch(/SHA256:.*SHA256:/s);
  expect(host!.calls).toEqual([]);
});

/** A ClusterFrontend from `kubectl apply` to what a scripted host serves: without a build, and on its own nodes alone. */
import type { ClusterFrontendStatus } from '../../crds/index.ts';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { installFirn, type RunningFirn, startFirn } from '../support/firn.ts';
import { apply, findNode, isDeployed, namespace, sshKeySecret, waitForNode } from '../support/fleet.ts';
import { frontendIn } from '../support/frontends.ts';
import { clusterManifest, clusterName, memberManifest, pkiManifest } from '../support/ground.ts';
import { waitForObject } from '../support/objects.ts';
import { type ScriptedFleet, startScriptedHosts } from '../support/ssh-server/scripted-hosts.ts';

let cluster: TestCluster;
let operator: RunningFirn;
let fleet: ScriptedFleet;

const names = ['node1', 'edge1', 'edge2'];
const hostOf = (name: string) => fleet.hosts[names.indexOf(name)]!;
const dataOf = (name: string, file: string): string | undefined => {
  const { releases, current, stored } = hostOf(name).state;
  return stored.data
    .get(releases.get(current ?? '')?.parts.data ?? '')
    ?.get(file)
    ?.toString();
};
/** A host that serves is looked at once a minute. */
const frontend = (what: string, fits: (status: ClusterFrontendStatus) => boolean) =>
  waitForObject<ClusterFrontendStatus>(
    cluster,
    'clusterfrontends',
    'web',
    what,
    ({ status }) => status !== undefined && fits(status),
    90_000,
  );
const reasonOf = (type: string) => (status: ClusterFrontendStatus) =>
  status.conditions?.find((one) => one.type === type)?.reason;

beforeAll(async () => {
  cluster = await startTestCluster();
  await installFirn(cluster);
  operator = await startFirn(cluster);
  fleet = await startScriptedHosts({ count: names.length });
  await apply(cluster, sshKeySecret(fleet.privateKey));
  const network = { meshRef: undefined, routing: 'External' };
  const roles = (name: string) => ({ roles: [name === 'node1' ? 'control-plane' : 'frontend'] });
  await apply(
    cluster,
    clusterManifest({ network }),
    pkiManifest(),
    ...names.map((name) => memberManifest(name, hostOf(name), roles(name))),
  );
  for (const name of names) await waitForNode(cluster, name, 'deployed', isDeployed, 120_000);
}, 240_000);
afterAll(async () => {
  await operator?.stop();
  await fleet?.close();
  await cluster?.stop();
});

test('nodes with the role serve it as soon as they have a file, and nobody builds anything', async () => {
  const builds = names.map((name) => hostOf(name).state.counts.builds);
  await apply(cluster, frontendIn(namespace, 'web', { clusterRef: { name: clusterName } }));
  const { status } = await frontend('served', ({ serving }) => serving === '2/2');
  expect(status).toMatchObject({ bind: ':443', servers: '2/2' });
  expect(dataOf('edge1', 'frontends')).toBe(
    'frontend web TCP leastconn 20 PLAIN default ingress https\nbind web * 443\n',
  );
  expect(dataOf('node1', 'frontends')).toBeUndefined();
  expect(names.map((name) => hostOf(name).state.counts.builds)).toEqual(builds);
  expect((await findNode(cluster, 'edge1'))?.status?.frontends).toMatchObject([
    { name: 'web', servers: 2, up: 2 },
  ]);
});

test('labels choose; who is not chosen any more has nothing of it', async () => {
  const { stderr, code } = await cluster.kubectl(['label', 'nixnode', 'edge1', 'tier=edge', '-n', namespace]);
  expect({ stderr, code }).toMatchObject({ code: 0 });
  const nodeSelector = { matchLabels: { tier: 'edge' } };
  await apply(cluster, frontendIn(namespace, 'web', { clusterRef: { name: clusterName }, nodeSelector }));
  await frontend('served by one', ({ nodes, serving }) => nodes?.length === 1 && serving === '1/1');
  await waitForNode(cluster, 'edge2', 'without it', ({ status }) => status?.frontends === undefined, 60_000);
  expect(dataOf('edge2', 'frontends')).toBeUndefined();
});

test('pods that do not answer are told of', async () => {
  hostOf('edge1').state.pods = { servers: 2, up: 0 };
  await frontend('down', (status) => reasonOf('Serving')(status) === 'BackendDown');
  hostOf('edge1').state.pods = { servers: 5, up: 5 };
  await frontend('up', (status) => reasonOf('Serving')(status) === 'Succeeded' && status.servers === '5/5');
}, 250_000);

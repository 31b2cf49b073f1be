/** What an upgrade makes of a cluster's objects, and where its versions come from. */
import {
  checkNext,
  checkSources,
  neededBy,
  sourcesOf,
} from '../../../controllers/nixcluster/kubernetes-sources.ts';
import {
  awaitSource,
  checkProgress,
  checkRefusal,
  groupsOf,
  kubernetesStatus,
  upgradeNews,
  upgradeOf,
  withVersions,
} from '../../../controllers/nixcluster/versions.ts';
import type { ComponentVersions, NixCluster, NixNode } from '../../../crds/index.ts';
import { clusterOf, nodeOf, url } from '../../support/cluster-objects.ts';

const lockedAs = (digit: string) => {
  const narHash = `sha256-${digit.repeat(43)}=`;
  return JSON.stringify({ type: 'github', owner: 'NixOS', repo: 'nixpkgs', rev: digit.repeat(40), narHash });
};
const sourceAs = (version: string, digit: string, from = url) => ({
  version,
  url: from,
  locked: lockedAs(digit),
});
const pinAs = (digit: string) => ({ url, narHash: `sha256-${digit.repeat(43)}=`, locked: lockedAs(digit) });
const nextUrl = 'github:NixOS/nixpkgs/nixos-26.11';

const all = (version: string): ComponentVersions => ({
  etcd: version,
  apiServer: version,
  controllers: version,
  kubelet: version,
});
const lastObserved = '2026-11-21T10:00:00Z';
const running = (name: string, versions: ComponentVersions, digit = 'a', cluster = 'demo'): NixNode =>
  nodeOf(name, {
    spec: { roles: versions.apiServer ? ['control-plane'] : ['worker'] },
    status: {
      lastObserved,
      conditions: [
        {
          type: 'Reachable',
          status: 'True',
          reason: 'Succeeded',
          message: '',
          lastTransitionTime: lastObserved,
        },
      ],
      member: { cluster, index: 1, kubernetes: { versions, sources: [sourceAs('1.36', digit)] } },
    },
  });
const members = [running('a', all('1.36')), running('w', { kubelet: '1.36' })];
const wanting = (version: string, status = {}, nixpkgs?: string): NixCluster =>
  clusterOf({}, status, { kubernetes: { version, ...(nixpkgs && { nixpkgs: { url: nixpkgs } }) } });

const refusal = (work: () => void) => {
  try {
    work();
  } catch (error) {
    const { verdict, reason, message } = error as { verdict: string; reason: string; message: string };
    return { verdict, reason, message };
  }
  return null;
};

const planFor = (cluster: NixCluster, pin: ReturnType<typeof pinAs> | undefined, nodes = members) => {
  const wanted = upgradeOf(cluster, nodes);
  const sources = sourcesOf(cluster, nodes, pin, neededBy(wanted, nodes));
  return { upgrade: awaitSource(cluster, nodes, wanted, sources), sources };
};

test('which components there are follows from roles and datastore', () => {
  const sqlite = clusterOf({}, undefined, { datastore: { type: 'SQLite' } });
  expect(groupsOf(['control-plane', 'worker'], clusterOf())).toEqual([
    'etcd',
    'apiServer',
    'controllers',
    'kubelet',
  ]);
  expect(groupsOf(['control-plane'], sqlite)).toEqual(['apiServer', 'controllers', 'kubelet']);
  expect(groupsOf(['worker', 'frontend'], sqlite)).toEqual(['kubelet']);
  expect(groupsOf(['frontend'], sqlite)).toEqual([]);
});

test('a new cluster takes Kubernetes from the nixpkgs of its systems', () => {
  const nodes = [nodeOf('a', { spec: { roles: ['control-plane'] } })];
  const { upgrade, sources } = planFor(wanting('1.36'), pinAs('a'), nodes);
  expect(kubernetesStatus(upgrade, sources)).toEqual({ sources: [sourceAs('1.36', 'a')] });
  const place = { name: 'a', uid: 'u', index: 1, podCIDRs: [], addresses: [], underlayAddresses: [] };
  expect(withVersions([place], upgrade)).toEqual([{ ...place, kubernetes: all('1.36') }]);
});

test('what a host of another cluster runs says nothing', () => {
  const stranger = running('a', all('1.30'), 'a', 'other');
  expect(upgradeOf(wanting('1.36'), [stranger]).runs).toBeUndefined();
});

test('another nixpkgs of the same version takes the place of the former', () => {
  const cluster = wanting('1.36', { kubernetes: { sources: [sourceAs('1.36', 'a')] } });
  expect(planFor(cluster, pinAs('b')).sources.sources).toEqual([sourceAs('1.36', 'b')]);
});

test('an upgrade has both versions, the former from where it was', () => {
  const cluster = wanting('1.37', { kubernetes: { version: '1.36', sources: [sourceAs('1.36', 'a')] } });
  const { upgrade, sources } = planFor(cluster, pinAs('b'));
  expect(kubernetesStatus(upgrade, sources)).toEqual({
    version: '1.36',
    target: '1.37',
    stage: 'etcd',
    sources: [sourceAs('1.36', 'a'), sourceAs('1.37', 'b')],
  });
  expect(refusal(() => checkProgress(upgrade))).toEqual({
    verdict: 'progressing',
    reason: 'Upgrading',
    message:
      'Kubernetes goes to 1.37: etcd 0/1 (waits for a), then API servers, then controllers, then kubelets',
  });
  expect(upgradeNews(cluster.status?.kubernetes, upgrade)).toBe('Kubernetes goes to 1.37: etcd');
  expect(upgradeNews({ stage: 'etcd', target: '1.37' }, upgrade)).toBeUndefined();
});

test('after lost status both come back from hosts', () => {
  const half = { ...all('1.37'), kubelet: '1.36' };
  const member = {
    cluster: 'demo',
    index: 1,
    kubernetes: { versions: half, sources: [sourceAs('1.36', 'a'), sourceAs('1.37', 'b', nextUrl)] },
  };
  const nodes = [nodeOf('a', { spec: { roles: ['control-plane'] }, status: { lastObserved, member } })];
  const { upgrade, sources } = planFor(wanting('1.37', {}, nextUrl), pinAs('a'), nodes);
  expect(sources).toEqual({
    sources: [sourceAs('1.36', 'a'), sourceAs('1.37', 'b', nextUrl)],
    resolver: undefined,
  });
  expect(upgrade).toMatchObject({ runs: 37, stage: 'kubelet' });
});

test('nothing moves before it is known where the next version comes from, and one host is asked', () => {
  const cluster = wanting(
    '1.37',
    { kubernetes: { version: '1.36', sources: [sourceAs('1.36', 'a')] } },
    nextUrl,
  );
  const { upgrade, sources } = planFor(cluster, pinAs('a'));
  expect(sources).toEqual({ sources: [sourceAs('1.36', 'a')], resolver: 'a' });
  expect(upgrade).toMatchObject({ runs: 36, to: 36, stage: null });
  expect(upgrade.nodes.get('a')).toEqual({ etcd: 36, apiServer: 36, controllers: 36, kubelet: 36 });
});

test('a next version from the very nixpkgs of the former is said to be missing there', () => {
  const cluster = wanting('1.37', { kubernetes: { version: '1.36', sources: [sourceAs('1.36', 'a')] } });
  const { upgrade, sources } = planFor(cluster, pinAs('a'));
  expect(upgrade.stage).toBeNull();
  expect(refusal(() => checkNext(sources, cluster, upgrade))).toMatchObject({
    verdict: 'terminal',
    reason: 'KubernetesNotInNixpkgs',
    message: expect.stringContaining('name a nixpkgs that has 1.37'),
  });
});

test('what cannot be had is refused with what to ask for', () => {
  const { upgrade } = planFor(wanting('1.38'), pinAs('b'));
  expect(refusal(() => checkRefusal(upgrade))).toMatchObject({
    verdict: 'terminal',
    reason: 'UpgradeSkipsMinor',
    message: expect.stringContaining('from 1.36 go to 1.37 first, then 1.38'),
  });
  expect(refusal(() => checkRefusal(planFor(wanting('1.36'), pinAs('a')).upgrade))).toBeNull();
});

test('a version that nobody knows a nixpkgs of is named', () => {
  const nodes = [nodeOf('a', { spec: { roles: ['control-plane'] } })];
  const { upgrade, sources } = planFor(wanting('1.36'), undefined, nodes);
  expect(refusal(() => checkSources(sources, upgrade))).toMatchObject({
    reason: 'KubernetesSourceUnknown',
    message: expect.stringContaining('Kubernetes 1.36'),
  });
});

test('the end of an upgrade is news', () => {
  const nodes = [running('a', all('1.37')), running('w', { kubelet: '1.37' })];
  const { upgrade } = planFor(wanting('1.37'), pinAs('b'), nodes);
  expect(upgradeNews({ stage: 'kubelet', target: '1.37' }, upgrade)).toBe('Kubernetes is 1.37 on all nodes');
  expect(refusal(() => checkProgress(upgrade))).toBeNull();
});

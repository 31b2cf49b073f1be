import {
  kubernetesRecord,
  packageSources,
  versionValues,
} from '../../../controllers/nixnode/kubernetes-packages.ts';
import type { ClusterNode, ComponentVersions } from '../../../crds/index.ts';
import { clusterOf, url } from '../../support/cluster-objects.ts';

const lockedAs = (digit: string) => {
  const narHash = `sha256-${digit.repeat(43)}=`;
  return { type: 'github', owner: 'NixOS', repo: 'nixpkgs', rev: digit.repeat(40), narHash };
};
const source = (version: string, digit: string) => ({
  version,
  url,
  locked: JSON.stringify(lockedAs(digit)),
});
const cluster = clusterOf({}, { kubernetes: { sources: [source('1.36', 'a'), source('1.37', 'b')] } });
const placeWith = (kubernetes?: ComponentVersions): ClusterNode => ({
  name: 'node1',
  uid: 'u',
  index: 1,
  podCIDRs: [],
  addresses: [],
  underlayAddresses: [],
  ...(kubernetes && { kubernetes }),
});
const half = { etcd: '1.37', apiServer: '1.37', controllers: '1.36', kubelet: '1.36' };

test('options are those of the components that a node has', () => {
  expect(versionValues(placeWith(half))).toEqual({
    apiServer: '1.37',
    controllerManager: '1.36',
    scheduler: '1.36',
    kubelet: '1.36',
    kubeProxy: '1.36',
  });
  expect(versionValues(placeWith({ kubelet: '1.36' }))).toEqual({ kubelet: '1.36', kubeProxy: '1.36' });
});

test('what comes from the nixpkgs of the system needs no input; the rest is named by its version', () => {
  const record = kubernetesRecord(cluster, placeWith(half), {});
  expect(record.sources.map(({ version }) => version)).toEqual(['1.36', '1.37']);
  const sources = packageSources(record, { locked: lockedAs('a') });
  expect(sources.map(({ name, options }) => [name, Object.keys(options)])).toEqual([
    ['kubernetes-1-37', ['kubernetes.etcd.package', 'kubernetes.packages.apiServer']],
  ]);
  expect(packageSources(record, { locked: lockedAs('c') }).map(({ name }) => name)).toEqual([
    'kubernetes-1-36',
    'kubernetes-1-37',
  ]);
});

test('when an upgrade is over, nothing of it is in the bundle but what was there at its last step', () => {
  const done = { etcd: '1.37', apiServer: '1.37', controllers: '1.37', kubelet: '1.37' };
  const during = packageSources(kubernetesRecord(cluster, placeWith(done), {}), { locked: lockedAs('a') });
  const after = clusterOf({}, { kubernetes: { sources: [source('1.37', 'b')] } });
  expect(packageSources(kubernetesRecord(after, placeWith(done), {}), { locked: lockedAs('a') })).toEqual(
    during,
  );
});

test('a host waits while its cluster does not know where a version comes from', () => {
  const unknown = clusterOf({}, { kubernetes: { sources: [source('1.36', 'a')] } });
  expect(() => kubernetesRecord(unknown, placeWith(half), {})).toThrow('which nixpkgs has Kubernetes 1.37');
});

test.each([
  ['nothing is decided', undefined],
  ['it would skip a minor', { ...half, apiServer: '1.38' }],
  ['it would go back', { ...half, controllers: '1.35' }],
])('a host waits for its cluster while %s', (_, versions) => {
  const runs = {
    cluster: { name: 'demo', index: 1 },
    kubernetes: { versions: { ...half, apiServer: '1.36' }, sources: [] },
  };
  expect(() => kubernetesRecord(cluster, placeWith(versions), runs)).toThrow('decides which Kubernetes');
});

test('what it ran for another cluster is no reason to wait', () => {
  const runs = { cluster: { name: 'other', index: 1 }, kubernetes: { versions: half, sources: [] } };
  const versions = { kubelet: '1.36' };
  expect(kubernetesRecord(cluster, placeWith(versions), runs).versions).toEqual(versions);
});

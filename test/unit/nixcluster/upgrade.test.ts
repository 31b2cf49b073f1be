import {
  ladder,
  planUpgrade,
  type UpgradeNode,
  type Versions,
} from '../../../controllers/nixcluster/upgrade.ts';
import { componentGroups } from '../../../crds/index.ts';

const all = (minor: number): Versions => ({
  etcd: minor,
  apiServer: minor,
  controllers: minor,
  kubelet: minor,
});
const controlPlane = (name: string, runs: Versions = all(36)): UpgradeNode => ({
  name,
  groups: componentGroups,
  runs,
});
const worker = (name: string, kubelet?: number): UpgradeNode => ({
  name,
  groups: ['kubelet'],
  runs: kubelet === undefined ? {} : { kubelet },
});
const told = (wanted: number, nodes: UpgradeNode[]) => Object.fromEntries(planUpgrade(wanted, nodes).nodes);

test('a new cluster gets what is wanted, at once', () => {
  const nodes = [controlPlane('a', {}), worker('w')];
  expect(told(37, nodes)).toEqual({ a: all(37), w: { kubelet: 37 } });
  expect(planUpgrade(37, nodes)).toMatchObject({ runs: undefined, to: 37, stage: null, progress: '' });
});

test('etcd goes first, on all nodes that have it, and the words say who is waited for', () => {
  const nodes = [controlPlane('a', { ...all(36), etcd: 37 }), controlPlane('b'), worker('w', 36)];
  const plan = planUpgrade(37, nodes);
  expect(told(37, nodes)).toEqual({
    a: { ...all(36), etcd: 37 },
    b: { ...all(36), etcd: 37 },
    w: { kubelet: 36 },
  });
  expect(plan.progress).toBe('etcd 1/2 (waits for b), then API servers, then controllers, then kubelets');
});

test('then API servers, then controllers, then kubelets', () => {
  const at = (a: Partial<Versions>, b = a) => [
    controlPlane('a', { ...all(36), ...a }),
    controlPlane('b', { ...all(36), ...b }),
    worker('w', 36),
  ];
  expect(planUpgrade(37, at({ etcd: 37 }))).toMatchObject({ stage: 'apiServer', runs: 36 });
  expect(planUpgrade(37, at({ etcd: 37, apiServer: 37 }, { etcd: 37 }))).toMatchObject({
    stage: 'apiServer',
    runs: 36,
    progress: 'API servers 1/2 (waits for b), then controllers, then kubelets',
  });
  const served = at({ etcd: 37, apiServer: 37 });
  expect(planUpgrade(37, served)).toMatchObject({ stage: 'controllers', runs: 37 });
  expect(told(37, served).w).toEqual({ kubelet: 36 });
  const controlled = at({ etcd: 37, apiServer: 37, controllers: 37 });
  expect(planUpgrade(37, controlled).stage).toBe('kubelet');
  expect(told(37, controlled)).toEqual({ a: all(37), b: all(37), w: { kubelet: 37 } });
});

test('a datastore without etcd is not waited for', () => {
  const { etcd: _, ...runs } = all(36);
  const node: UpgradeNode = { name: 'a', groups: ['apiServer', 'controllers', 'kubelet'], runs };
  expect(planUpgrade(37, [node])).toMatchObject({ stage: 'apiServer' });
});

test('two minors at once are refused with the ladder, and nobody moves', () => {
  const nodes = [controlPlane('a'), worker('w', 35), worker('new')];
  const { refusal } = planUpgrade(38, nodes);
  expect(refusal?.reason).toBe('UpgradeSkipsMinor');
  expect(refusal?.message).toContain('from 1.36 go to 1.37 first, then 1.38');
  expect(told(38, nodes)).toEqual({ a: all(36), w: { kubelet: 35 }, new: { kubelet: 36 } });
  expect(ladder(30, 40)).toContain('from 1.30 go to 1.31 first, then 1.32, then …, then 1.40');
});

test('a step back is refused, also in the middle of an upgrade', () => {
  const half = [controlPlane('a', { ...all(36), etcd: 37, apiServer: 37 }), controlPlane('b')];
  const { refusal, runs } = planUpgrade(36, half);
  expect(refusal?.reason).toBe('KubernetesGoesBack');
  expect(refusal?.message).toContain('1.37 runs already');
  expect(runs).toBe(36);
  expect(told(36, half)).toEqual({ a: half[0]!.runs, b: all(36) });
});

test('before any API server has changed, the wish can be taken back; etcd stays where it is', () => {
  const nodes = [controlPlane('a', { ...all(36), etcd: 37 }), controlPlane('b')];
  expect(planUpgrade(36, nodes)).toMatchObject({ refusal: null, stage: null });
  expect(told(36, nodes)).toEqual({ a: { ...all(36), etcd: 37 }, b: all(36) });
});

test('kubelets that the next API server does not take are named', () => {
  const { refusal } = planUpgrade(37, [controlPlane('a'), worker('w', 33), worker('x', 34)]);
  expect(refusal).toMatchObject({ reason: 'KubeletTooOld', message: expect.stringContaining('w (1.33)') });
  expect(refusal?.message).not.toContain('x (');
});

test('a kubelet that stayed behind goes straight to where all are', () => {
  const nodes = [controlPlane('a', all(37)), worker('w', 35)];
  expect(planUpgrade(37, nodes)).toMatchObject({ stage: 'kubelet', progress: 'kubelets 1/2 (waits for w)' });
  expect(told(37, nodes).w).toEqual({ kubelet: 37 });
});

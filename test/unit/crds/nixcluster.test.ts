import { crdOf, schemaOf } from '../../../crds/crd.ts';
import { NixCluster } from '../../../crds/index.ts';
import { foreignObject } from '../../../crds/rules.ts';
import { structural } from '../../../crds/structural.ts';

const least = {
  apiVersion: 'firn.dev/v1alpha1',
  kind: 'NixCluster',
  metadata: { name: 'lab', namespace: 'lab', uid: 'u', resourceVersion: '1' },
  spec: {
    kubernetes: { version: '1.36' },
    nixpkgs: { url: 'github:NixOS/nixpkgs/nixos-26.05' },
    endpoint: { host: 'lab.example.com' },
  },
};

test('three fields are enough', () => {
  expect(NixCluster.parse(least).spec).toEqual({
    ...least.spec,
    endpoint: { host: 'lab.example.com', port: 6443 },
    network: {
      domain: 'k8s.internal',
      pods: [
        { cidr: 'fd88::/16', nodePrefix: 32 },
        { cidr: '10.88.0.0/16', nodePrefix: 24 },
      ],
      services: ['10.88.0.0/24'],
      nodePortAddresses: [],
      cni: 'Bridge',
      masquerade: true,
      allowInbound: [],
    },
    datastore: { type: 'Etcd', compactionInterval: '5m' },
    controlPlane: {
      encryptionAtRest: 'Secretbox',
      apiServer: { extraArgs: {} },
      controllerManager: { extraArgs: {} },
      scheduler: { extraArgs: {} },
    },
    runtime: 'CRIO',
    kubelet: {},
    access: 'SSH',
    rollout: {
      maxUnavailable: 1,
      drain: { enabled: true, timeout: '10m', podDisruptionBudgets: 'Respect' },
    },
  });
});

test('parsing twice changes nothing', () => {
  const once = NixCluster.parse(least);
  expect(NixCluster.parse(once)).toEqual(once);
});

test('a status may be that of a cluster of which nothing is known', () => {
  expect(NixCluster.parse({ ...least, status: {} }).status).toEqual({});
});

test("what is in somebody else's schema is kept, and opened to all", () => {
  const kubelet = { memorySwap: { swapBehavior: 'LimitedSwap' }, maxPods: 60, list: [1, 'a'] };
  expect(NixCluster.parse({ ...least, spec: { ...least.spec, kubelet } }).spec.kubelet).toEqual(kubelet);
  expect(structural(foreignObject())).toEqual({
    type: 'object',
    'x-kubernetes-preserve-unknown-fields': true,
  });
});

test('what a living cluster may not change is a rule on the whole object, which sees its status', () => {
  const rules = schemaOf(NixCluster)['x-kubernetes-validations'] ?? [];
  const immutable = rules.filter(({ rule }) => rule.includes('oldSelf.status.nodes'));
  expect(immutable.map(({ message }) => message.split(' ')[0])).toEqual([
    'spec.network.pods',
    'spec.network.services',
    'spec.datastore.type',
    'spec.controlPlane.encryptionAtRest',
  ]);
  expect(JSON.stringify(crdOf(NixCluster))).not.toContain('transitions');
});

test('overlaps are refused where they are written, in words that say what to do', () => {
  const network = { services: ['10.88.4.0/22'] };
  expect(() => NixCluster.parse({ ...least, spec: { ...least.spec, network } })).toThrow(
    'spec.network.services: services overlaps more of pods than one subnet of a node: put it outside of pods',
  );
});

test('flags that Firn sets by itself are refused by their names', () => {
  const controlPlane = { apiServer: { extraArgs: { 'anonymous-auth': 'true' } } };
  expect(() => NixCluster.parse({ ...least, spec: { ...least.spec, controlPlane } })).toThrow(
    'spec.controlPlane.apiServer.extraArgs: must have none of the flags that Firn sets by itself: advertise-address, anonymous-auth,',
  );
});

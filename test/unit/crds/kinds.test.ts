import { trialReasons, trialStates } from '../../../controllers/lib/host/protocol.ts';
import { NixModule, NixNode } from '../../../crds/index.ts';
import { nixNodeStatus } from '../../../crds/nixnode-status.ts';

const metadata = { name: 'alpha', namespace: 'fleet', uid: 'u', resourceVersion: '1' };
const node = {
  apiVersion: 'firn.dev/v1alpha1',
  kind: 'NixNode',
  metadata: { ...metadata, managedFields: [{ manager: 'kubectl' }] },
  spec: {
    ssh: { host: '192.0.2.1', keyRef: { name: 'key' }, hostKeys: ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI'] },
    stateVersion: '26.05',
    nixpkgs: { url: 'github:NixOS/nixpkgs/nixos-26.05' },
  },
};

test('a short NixNode gets its defaults; what nobody reads is dropped', () => {
  const parsed = NixNode.parse(node);
  expect(parsed.metadata).toEqual(metadata);
  expect(parsed.spec).toEqual({
    ssh: { ...node.spec.ssh, port: 22, user: 'root', hostKeyPolicy: 'Strict' },
    addresses: [],
    roles: [],
    mesh: { behindNAT: false },
    kubernetes: { labels: {}, taints: [] },
    stateVersion: '26.05',
    nixpkgs: { url: 'github:NixOS/nixpkgs/nixos-26.05' },
    modules: [],
    files: [],
    deploy: {
      mode: 'Apply',
      confirmWithin: '90s',
      reboot: 'Never',
      buildOn: 'Target',
      allow: [],
    },
    deletionTimeout: '15m',
  });
});

test('a NixModule without a selector is for every node', () => {
  const { spec } = NixModule.parse({
    apiVersion: 'firn.dev/v1alpha1',
    kind: 'NixModule',
    metadata,
    spec: { inline: '{ }' },
  });
  expect(spec).toEqual({
    nodeSelector: { matchLabels: {}, matchExpressions: [] },
    priority: 100,
    inline: '{ }',
    files: [],
  });
});

test('parsing twice changes nothing', () => {
  const once = NixNode.parse(node);
  expect(NixNode.parse(once)).toEqual(once);
});

test('an error names path and rule, and never the value', () => {
  const canary = 'canary-c0ffee';
  const wrong = {
    ...node,
    spec: {
      ...node.spec,
      stateVersion: canary,
      ssh: { ...node.spec.ssh, port: canary, user: `${canary} `, hostKeys: [canary], hostKeyPolicy: canary },
      files: [{ path: canary, owner: `${canary}!`, mode: canary }],
    },
  };
  let said = '';
  try {
    NixNode.parse(wrong);
  } catch (error) {
    said = String(error);
  }
  expect(said).toContain('not a valid NixNode: ');
  expect(said).toContain('spec.ssh.hostKeys[0]: must be a public host key');
  expect(said).toContain('spec.files[0].path: must be an absolute path');
  expect(said).not.toContain(canary);
});

test.each([undefined, null, 1, 'x', [], {}, { kind: 'NixModule' }])('%j is no NixNode', (raw) => {
  expect(() => NixNode.parse(raw)).toThrow('not a valid NixNode');
});

test('status can say every state that a host can be in', () => {
  const states = trialStates.map((state) => ({ trial: { id: '0123456789ab', attempt: 1, state } }));
  const reasons = trialReasons.map((reason) => ({
    trial: { id: '0123456789ab', attempt: 1, state: 'Reverted', reason },
  }));
  for (const status of [...states, ...reasons]) expect(nixNodeStatus.parse(status)).toEqual(status);
});

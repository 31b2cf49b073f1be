import { ConfigMapKind, SecretKind } from '../../../controllers/lib/kube/core-kinds.ts';
import { NixModule, NixNode } from '../../../crds/index.ts';
import { rulesFor } from '../../../scripts/generate/rbac.ts';

test('a controller may read what it declares, write its status, and tell events; nothing else', () => {
  const rules = rulesFor([
    { primary: NixNode, inputs: [{ kind: NixModule }, { kind: SecretKind }], finalizer: 'firn.dev/nixnode' },
  ]);
  const read = ['get', 'list', 'watch'];
  expect(rules).toEqual([
    { apiGroups: [''], resources: ['secrets'], verbs: read },
    { apiGroups: ['events.k8s.io'], resources: ['events'], verbs: ['create', 'patch'] },
    { apiGroups: ['firn.dev'], resources: ['nixmodules'], verbs: read },
    { apiGroups: ['firn.dev'], resources: ['nixnodes'], verbs: ['get', 'list', 'patch', 'watch'] },
    { apiGroups: ['firn.dev'], resources: ['nixnodes/status'], verbs: ['patch'] },
  ]);
});

test('what one controller writes and another reads is one rule', () => {
  const rules = rulesFor([
    { primary: NixNode, inputs: [], finalizer: 'firn.dev/nixnode' },
    { primary: NixModule, inputs: [{ kind: NixNode }, { kind: ConfigMapKind }] },
  ]);
  const verbs = Object.fromEntries(rules.map((rule) => [rule.resources[0], rule.verbs]));
  expect(verbs.nixnodes).toEqual(['get', 'list', 'patch', 'watch']);
  expect(verbs.nixmodules).toEqual(['get', 'list', 'watch']);
});

test('what a controller makes or changes beside its primary is said by verb', () => {
  const rules = rulesFor([
    { primary: NixNode, inputs: [{ kind: SecretKind }], creates: [SecretKind] },
    {
      primary: NixModule,
      inputs: [],
      creates: [ConfigMapKind],
      patches: [SecretKind],
      deletes: [SecretKind],
    },
  ]);
  const verbs = Object.fromEntries(rules.map((rule) => [rule.resources[0], rule.verbs]));
  expect(verbs.secrets).toEqual(['create', 'delete', 'get', 'list', 'patch', 'watch']);
  expect(verbs.configmaps).toEqual(['create']);
  expect(verbs.nixnodes).toEqual(['get', 'list', 'watch']);
});

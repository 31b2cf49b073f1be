/** NixNode: one NixOS host, and how it is kept. */
import { ageColumn, summaryColumns } from './columns.ts';
import { defineKind, type ObjectOf } from './kind.ts';
import { nixNodeSpec } from './nixnode-spec.ts';
import { nixNodeStatus } from './nixnode-status.ts';

export type NixNode = ObjectOf<typeof nixNodeSpec, typeof nixNodeStatus>;

const label = /^[a-z0-9]([-a-z0-9]{0,50}[a-z0-9])?$/;

export const NixNode = defineKind({
  kind: 'NixNode',
  plural: 'nixnodes',
  shortNames: ['nn'],
  description: 'A NixOS host that is reached over SSH.',
  spec: nixNodeSpec,
  status: nixNodeStatus,
  rules: [
    {
      // The name becomes part of a certificate's common name, which ends at 64 characters, and of DNS names.
      cel: `self.metadata.name.size() <= 52 && self.metadata.name.matches(r'${label.source}') && !(self.metadata.name in ['svc', 'pod'])`,
      message: 'the name must be a DNS label of at most 52 characters, and neither svc nor pod',
      test: ({ metadata }) => label.test(metadata.name) && metadata.name !== 'svc' && metadata.name !== 'pod',
    },
  ],
  columns: [
    { name: 'Roles', type: 'string', jsonPath: '.status.roles', description: 'What it is in its cluster.' },
    { name: 'Index', type: 'integer', jsonPath: '.status.index', description: 'Its number in its cluster.' },
    ...summaryColumns('Whether the host is what the objects say.'),
    { name: 'Release', type: 'string', jsonPath: '.status.release.current', description: 'What runs on it.' },
    { name: 'NixOS', type: 'string', jsonPath: '.status.nixosVersion', description: 'Its NixOS release.' },
    {
      name: 'Version',
      type: 'string',
      jsonPath: '.status.kubernetesVersion',
      description: 'The version of its kubelet.',
    },
    ageColumn,
  ],
});

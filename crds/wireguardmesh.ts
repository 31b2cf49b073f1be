/** WireguardMesh: a private network between the nodes of a cluster, each with a tunnel to each. */
import { ageColumn, summaryColumns } from './columns.ts';
import { defineKind, type ObjectOf } from './kind.ts';
import { wireguardMeshSpec } from './wireguardmesh-spec.ts';
import { wireguardMeshStatus } from './wireguardmesh-status.ts';

export type WireguardMesh = ObjectOf<typeof wireguardMeshSpec, typeof wireguardMeshStatus>;

export const WireguardMesh = defineKind({
  kind: 'WireguardMesh',
  plural: 'wireguardmeshes',
  shortNames: ['wgm'],
  description: 'A WireGuard mesh between the nodes of one NixCluster.',
  spec: wireguardMeshSpec,
  status: wireguardMeshStatus,
  rules: [
    {
      // The Secret `<name>-mesh` is named after it.
      cel: 'self.metadata.name.size() <= 63',
      message: 'the name must have at most 63 characters',
      test: ({ metadata }) => metadata.name.length <= 63,
    },
  ],
  columns: [
    { name: 'Nodes', type: 'integer', jsonPath: '.status.size', description: 'How many nodes it joins.' },
    {
      name: 'Connected',
      type: 'string',
      jsonPath: '.status.connected',
      description: 'How many of them reach all of their peers.',
    },
    ...summaryColumns('Whether every pair has a tunnel.'),
    ageColumn,
  ],
});

/** ClusterAddon: manifests that are kept applied in a cluster that Firn made. */
import { clusterAddonSpec } from './clusteraddon-spec.ts';
import { clusterAddonStatus } from './clusteraddon-status.ts';
import { ageColumn, summaryColumns } from './columns.ts';
import { defineKind, type ObjectOf } from './kind.ts';

export type ClusterAddon = ObjectOf<typeof clusterAddonSpec, typeof clusterAddonStatus>;

export const ClusterAddon = defineKind({
  kind: 'ClusterAddon',
  plural: 'clusteraddons',
  shortNames: ['addon'],
  description: 'Manifests that are kept applied in a cluster that Firn made.',
  spec: clusterAddonSpec,
  status: clusterAddonStatus,
  rules: [
    {
      // It is the value of a label on what is applied, and part of a field manager.
      cel: 'self.metadata.name.size() <= 63',
      message: 'the name must have at most 63 characters',
      test: ({ metadata }) => metadata.name.length <= 63,
    },
  ],
  columns: [
    {
      name: 'Cluster',
      type: 'string',
      jsonPath: '.spec.clusterRef.name',
      description: 'Where it is applied.',
    },
    {
      name: 'Objects',
      type: 'string',
      jsonPath: '.status.objects',
      description: 'Objects that are as they should be, of all.',
    },
    ...summaryColumns('Whether everything is applied and works.'),
    ageColumn,
  ],
});

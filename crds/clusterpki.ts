/** ClusterPKI: the authorities of one cluster, and how its certificates are kept. */

import { clusterPkiSpec } from './clusterpki-spec.ts';
import { clusterPkiStatus } from './clusterpki-status.ts';
import { ageColumn, summaryColumns } from './columns.ts';
import { defineKind, type ObjectOf } from './kind.ts';

export type ClusterPKI = ObjectOf<typeof clusterPkiSpec, typeof clusterPkiStatus>;

export const ClusterPKI = defineKind({
  kind: 'ClusterPKI',
  plural: 'clusterpkis',
  shortNames: ['pki'],
  description: 'Authorities, keys and certificates of one cluster.',
  spec: clusterPkiSpec,
  status: clusterPkiStatus,
  rules: [
    {
      // It is the value of a label on its Secrets.
      cel: 'self.metadata.name.size() <= 63',
      message: 'the name must have at most 63 characters',
      test: ({ metadata }) => metadata.name.length <= 63,
    },
  ],
  columns: [
    {
      name: 'Authorities',
      type: 'integer',
      jsonPath: '.status.authorityCount',
      description: 'How many authorities there are.',
    },
    {
      name: 'Certificates',
      type: 'integer',
      jsonPath: '.status.certificates',
      description: 'How many certificates hosts have.',
    },
    {
      name: 'Next-Expiry',
      type: 'string',
      jsonPath: '.status.nextExpiryIn',
      description: 'When the first of them ends.',
    },
    ...summaryColumns('Whether everything is there and valid.'),
    ageColumn,
  ],
});

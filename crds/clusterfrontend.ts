/** ClusterFrontend: takes traffic from outside on nodes of a cluster, and balances it over the pods of a service. */

import { clusterFrontendSpec } from './clusterfrontend-spec.ts';
import { clusterFrontendStatus } from './clusterfrontend-status.ts';
import { ageColumn, summaryColumns } from './columns.ts';
import { defineKind, type ObjectOf } from './kind.ts';

export type ClusterFrontend = ObjectOf<typeof clusterFrontendSpec, typeof clusterFrontendStatus>;

const label = /^[a-z0-9]([-a-z0-9]{0,50}[a-z0-9])?$/;

export const ClusterFrontend = defineKind({
  kind: 'ClusterFrontend',
  plural: 'clusterfrontends',
  shortNames: ['cf'],
  description: "An HAProxy on nodes of a cluster that balances to pods, found through the cluster's DNS.",
  spec: clusterFrontendSpec,
  status: clusterFrontendStatus,
  rules: [
    {
      // HAProxy's sections are named after it.
      cel: `self.metadata.name.size() <= 52 && self.metadata.name.matches(r'${label.source}')`,
      message: 'the name must be a DNS label of at most 52 characters',
      test: ({ metadata }) => label.test(metadata.name),
    },
  ],
  columns: [
    { name: 'Bind', type: 'string', jsonPath: '.status.bind', description: 'Where it listens.' },
    {
      name: 'Nodes',
      type: 'string',
      jsonPath: '.status.serving',
      description: 'Nodes that serve it, of all.',
    },
    {
      name: 'Servers',
      type: 'string',
      jsonPath: '.status.servers',
      description: 'Pods that answer, of all.',
    },
    ...summaryColumns('Whether its nodes serve it and pods answer.'),
    ageColumn,
  ],
});

/** NixCluster: what several NixNodes have in common, and the plan by which they find each other. */
import { ageColumn, summaryColumns } from './columns.ts';
import { defineKind, type ObjectOf } from './kind.ts';
import { nixClusterSpec } from './nixcluster-spec.ts';
import { nixClusterStatus } from './nixcluster-status.ts';

export type NixCluster = ObjectOf<typeof nixClusterSpec, typeof nixClusterStatus>;

const label = /^[a-z0-9]([-a-z0-9]{0,50}[a-z0-9])?$/;
/** Of a cluster in which no node has a number yet, everything may change that no rule of its own forbids. */
const isNew = '!has(oldSelf.status) || !has(oldSelf.status.nodes) || oldSelf.status.nodes.size() == 0';

export const NixCluster = defineKind({
  kind: 'NixCluster',
  plural: 'nixclusters',
  shortNames: ['nc'],
  description: 'A Kubernetes cluster on the hosts of NixNodes.',
  spec: nixClusterSpec,
  status: nixClusterStatus,
  rules: [
    {
      // Names of Secrets and files are made of it.
      cel: `self.metadata.name.size() <= 52 && self.metadata.name.matches(r'${label.source}')`,
      message: 'the name must be a DNS label of at most 52 characters',
      test: ({ metadata }) => label.test(metadata.name),
    },
  ],
  transitions: [
    {
      cel: "!has(oldSelf.status) || !has(oldSelf.status.kubernetes) || !has(oldSelf.status.kubernetes.version) || !self.spec.kubernetes.version.matches(r'^1[.][1-9][0-9]$') || self.spec.kubernetes.version == oldSelf.spec.kubernetes.version || int(self.spec.kubernetes.version.substring(2)) - int(oldSelf.status.kubernetes.version.substring(2)) in [0, 1]",
      message:
        'spec.kubernetes.version moves one minor at a time, and never back: from what runs (status.kubernetes.version) to the minor above it first, then to the next',
    },
    {
      cel: `${isNew} || self.spec.network.pods == oldSelf.spec.network.pods`,
      message:
        'spec.network.pods is immutable once a node has a number: pods and routes use its addresses. Make a new cluster, and move nodes to it',
    },
    {
      cel: `${isNew} || self.spec.network.services == oldSelf.spec.network.services`,
      message:
        'spec.network.services is immutable once a node has a number: Services have addresses of it. Make a new cluster, and move nodes to it',
    },
    {
      cel: `${isNew} || self.spec.datastore.type == oldSelf.spec.datastore.type`,
      message:
        'spec.datastore.type is immutable once a node has a number: the other datastore would begin empty. Make a new cluster',
    },
    {
      cel: `${isNew} || self.spec.controlPlane.encryptionAtRest == oldSelf.spec.controlPlane.encryptionAtRest`,
      message:
        'spec.controlPlane.encryptionAtRest is immutable once a node has a number: Secrets that are stored could not be read any more',
    },
  ],
  columns: [
    { name: 'Version', type: 'string', jsonPath: '.status.version', description: 'Which Kubernetes runs.' },
    {
      name: 'Nodes',
      type: 'string',
      jsonPath: '.status.members',
      description: 'Members that are ready, of all.',
    },
    ...summaryColumns('Whether it is what the objects say.'),
    { name: 'Endpoint', type: 'string', jsonPath: '.status.endpoint', description: 'The URL of its API.' },
    ageColumn,
  ],
});

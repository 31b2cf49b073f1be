/** ClusterAccess: a kubeconfig for a person or a program, in a Secret that is kept valid. */
import { z } from 'zod';
import { ageColumn, summaryColumns } from './columns.ts';
import { conditions, count, digest, nameReference, objectName, timestamp } from './common.ts';
import { duration } from './duration.ts';
import { defineKind, type ObjectOf } from './kind.ts';
import { matches, type Rule, setList, text, withRules } from './rules.ts';

/** What certificates, RBAC and audit logs all hold without quoting; X.509 has room for 64 characters. */
const subject = (what: string, rules: readonly Rule<string>[]) =>
  withRules(text({ min: 1, max: 64 }), [
    matches(
      /^[A-Za-z0-9]([A-Za-z0-9._@:+/=-]*[A-Za-z0-9])?$/,
      `must be the name of a ${what}: letters, digits and ._@:+/=- between them`,
    ),
    ...rules,
  ]);

const user = subject('user', [
  {
    cel: "!self.startsWith('system:') && !self.startsWith('firn:')",
    message:
      "must not begin with system: or firn: since components of Kubernetes' and Firn's own go by these",
    test: (value) => !value.startsWith('system:') && !value.startsWith('firn:'),
  },
  {
    cel: "self != 'kube-apiserver-kubelet-client' && self != 'kubernetes-admin'",
    message: 'must not be the name of a client that every cluster has',
    test: (value) => !['kube-apiserver-kubelet-client', 'kubernetes-admin'].includes(value),
  },
]);

const group = subject('group', [
  {
    cel: "!self.startsWith('system:')",
    message:
      'must not begin with system: since what such a group may do is fixed, and system:masters cannot be taken back; firn:cluster-admins can',
    test: (value) => !value.startsWith('system:'),
  },
]);

const clusterAccessSpec = z.object({
  clusterRef: nameReference('NixCluster').describe('The cluster to which it gives access.'),
  user: user.describe("Who it is for: the certificate's common name, and the user in RBAC and audit logs."),
  groups: setList(group, 32)
    .default([])
    .describe('Groups of the user. `firn:cluster-admins` may do everything; the operator binds it.'),
  lifetime: duration({ min: '10m', max: '99999h' })
    .default('8760h')
    .describe('How long a certificate is valid; it is renewed after two thirds of that.'),
  secretName: objectName().describe(
    'The Secret that is made, with the kubeconfig in its key `kubeconfig`. One that is there already is left alone.',
  ),
});

const clusterAccessStatus = z
  .object({
    observedGeneration: count().optional().describe('The generation of the spec that the status is about.'),
    conditions: conditions().optional().describe('What holds and what does not, and why.'),
    summary: z.string().max(128).optional().describe('In a word or two, how it is.'),
    secretName: z.string().max(253).optional().describe('The Secret that holds the kubeconfig.'),
    server: z.string().max(300).optional().describe('The URL of the API that is in it.'),
    groups: z.string().max(4096).optional().describe("The certificate's groups."),
    serial: z.string().max(64).optional().describe("The certificate's serial number, in hex."),
    fingerprint: digest().optional().describe('SHA-256 of the certificate, in hex.'),
    notAfter: timestamp().optional().describe('When the certificate ends.'),
    renewAt: timestamp().optional().describe('When it is renewed.'),
    limitedBy: z
      .string()
      .max(256)
      .optional()
      .describe('What makes the certificate end sooner than `spec.lifetime` asks for.'),
    expiresIn: z.string().max(16).optional().describe('How long it is valid from now, such as `364d`.'),
  })
  .describe('What is true of the kubeconfig; written by Firn.');

export type ClusterAccess = ObjectOf<typeof clusterAccessSpec, typeof clusterAccessStatus>;

export const ClusterAccess = defineKind({
  kind: 'ClusterAccess',
  plural: 'clusteraccesses',
  shortNames: ['access'],
  description: 'A kubeconfig with a client certificate of a cluster, for a person or a program.',
  spec: clusterAccessSpec,
  status: clusterAccessStatus,
  rules: [
    {
      // It is the value of a label on its Secret.
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
      description: 'To which cluster it leads.',
    },
    { name: 'User', type: 'string', jsonPath: '.spec.user', description: 'Who it is for.' },
    { name: 'Groups', type: 'string', jsonPath: '.status.groups', description: "The user's groups." },
    {
      name: 'Expires',
      type: 'string',
      jsonPath: '.status.expiresIn',
      description: 'How long the certificate is valid.',
    },
    ...summaryColumns('Whether the Secret has a kubeconfig that is valid.'),
    ageColumn,
  ],
});

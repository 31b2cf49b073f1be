/** What users say of a cluster: its network, what it is built from, and how its components run. */
import { z } from 'zod';
import { hostOrAddress, port } from './address.ts';
import { integer, nameReference } from './common.ts';
import { duration } from './duration.ts';
import { ownedFlags } from './kubernetes-owned.ts';
import { clusterNetwork } from './nixcluster-network.ts';
import { nixpkgs } from './nixpkgs.ts';
import { foreignObject, matches, type Rule, text, withRules } from './rules.ts';

const kubernetes = z.object({
  version: withRules(text({ min: 4, max: 4 }), [
    matches(/^1[.][1-9][0-9]$/, 'must be a minor version of Kubernetes, quoted, such as "1.36"'),
  ]).describe('The minor version; the patch is that of the pinned nixpkgs.'),
  nixpkgs: nixpkgs()
    .optional()
    .describe('Kubernetes from another pin than the operating system. Absent: `spec.nixpkgs`.'),
});

const endpoint = z.object({
  host: hostOrAddress().describe("Name or address of the API from outside, in the API server's certificate."),
  port: port().default(6443).describe('Its port.'),
});

const datastore = z
  .object({
    type: z
      .enum(['Etcd', 'SQLite'])
      .default('Etcd')
      .describe(
        '`SQLite`: through kine, with one control-plane node, for small installations. Immutable once a node has a number.',
      ),
    compactionInterval: duration({ min: '1m', max: '24h' })
      .default('5m')
      .describe('How often old revisions are compacted.'),
  })
  .prefault({});

const flag = /^[a-z][a-z0-9-]{0,127}$/;
const flagNames: Rule<Record<string, string>> = {
  cel: `self.all(key, key.matches(r'${flag.source}'))`,
  message: 'must have flags as keys, without the leading dashes',
  test: (args) => Object.keys(args).every((key) => flag.test(key)),
};
const notOwned = (owned: readonly string[]): Rule<Record<string, string>> => ({
  cel: `self.all(key, !(key in [${owned.map((flag) => `'${flag}'`).join(', ')}]))`,
  message: `must have none of the flags that Firn sets by itself: ${owned.join(', ')}`,
  test: (args) => Object.keys(args).every((key) => !owned.includes(key)),
});
const extraArgs = (owned: readonly string[]) =>
  withRules(
    z
      .record(z.string(), text({ max: 4096 }))
      .refine((args) => Object.keys(args).length <= 128, { message: 'must have at most 128 entries' })
      .meta({ maxProperties: 128 }),
    [flagNames, notOwned(owned)],
  )
    .default({})
    .describe('Flags to add, without the leading dashes.');
const component = (name: keyof typeof ownedFlags) =>
  z.object({ extraArgs: extraArgs(ownedFlags[name]) }).prefault({});

const controlPlane = z
  .object({
    taint: z
      .boolean()
      .optional()
      .describe(
        'Whether ordinary pods are kept off control-plane nodes. Absent: off those that are not workers too.',
      ),
    encryptionAtRest: z
      .enum(['Secretbox', 'None'])
      .default('Secretbox')
      .describe('How Secrets are encrypted in the datastore. Immutable once a node has a number.'),
    apiServer: component('apiServer').describe('The API server.'),
    controllerManager: component('controllerManager').describe('The controller manager.'),
    scheduler: component('scheduler').describe('The scheduler.'),
  })
  .prefault({});

const rollout = z
  .object({
    maxUnavailable: integer(1, 1000)
      .default(1)
      .describe('How many workers change at once; control-plane nodes always change one by one.'),
    drain: z
      .object({
        enabled: z.boolean().default(true).describe('Whether pods are evicted before a node changes.'),
        timeout: duration({ min: '10s', max: '24h' }).default('10m').describe('How long that may take.'),
        podDisruptionBudgets: z
          .enum(['Respect', 'Ignore'])
          .default('Respect')
          .describe('What becomes of budgets that still forbid an eviction when the time is over.'),
      })
      .prefault({})
      .describe('How nodes are emptied before they change.'),
  })
  .prefault({});

export const nixClusterSpec = z.object({
  kubernetes: kubernetes.describe('Which Kubernetes.'),
  nixpkgs: nixpkgs().describe('What all nodes are built from: resolved once for the cluster.'),
  endpoint: endpoint.describe('Where the API is reached from outside.'),
  network: clusterNetwork.prefault({}).describe('The address plan.'),
  datastore: datastore.describe('Where the API server keeps its objects.'),
  controlPlane: controlPlane.describe('The components of control-plane nodes.'),
  runtime: z.enum(['CRIO', 'Containerd']).default('CRIO').describe('The container runtime.'),
  kubelet: foreignObject()
    .default({})
    .describe('Fields of KubeletConfiguration (kubelet.config.k8s.io/v1beta1), passed on as they are.'),
  access: z
    .enum(['SSH', 'Direct'])
    .default('SSH')
    .describe('How the operator reaches the API: through a control-plane node, or by the endpoint.'),
  pkiRef: nameReference('ClusterPKI')
    .optional()
    .describe("Keys and certificates. Absent: a ClusterPKI of the cluster's name, made if there is none."),
  rollout: rollout.describe('In which steps changes reach the nodes.'),
  deletionPolicy: z
    .enum(['Orphan', 'Reset'])
    .optional()
    .describe(
      'What becomes of the hosts of NixNodes that are deleted and do not say it themselves. Absent: `Orphan`.',
    ),
});

export type NixClusterSpec = z.output<typeof nixClusterSpec>;

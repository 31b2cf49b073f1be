/** What users say of a frontend: where it listens, and over which pods it balances. */
import { z } from 'zod';
import { bind } from './bind.ts';
import { integer, labelSelector, nameReference } from './common.ts';
import { matches, setList, text, withRules, withTransitions } from './rules.ts';

const dnsLabel = () =>
  withRules(text({ min: 1, max: 63 }), [
    matches(
      /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/,
      'must be a DNS label: lower-case letters, digits and "-"',
    ),
  ]);

const portName = () =>
  withRules(text({ min: 1, max: 15 }), [
    matches(
      /^[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?$/,
      'must be the name of a port: at most 15 lower-case letters, digits and "-"',
    ),
  ]);

const service = z.object({
  namespace: dnsLabel().default('default').describe('Its namespace, in the target cluster.'),
  name: dnsLabel().describe(
    'Its name. It must be headless (`clusterIP: None`): its SRV records are followed.',
  ),
  port: portName().describe('The name of its port.'),
});

const backend = z.object({
  service: service.describe('The Service of the target cluster.'),
  maxServers: integer(1, 256)
    .default(20)
    .describe(
      'How many pods get traffic at most. Those of both families count twice where the Service has both.',
    ),
  proxyProtocol: z
    .boolean()
    .default(false)
    .describe(
      'Whether pods are told who the client is by the PROXY protocol, version 2. They must expect it.',
    ),
});

export const clusterFrontendSpec = withTransitions(
  z.object({
    clusterRef: nameReference('NixCluster').describe('The cluster. Immutable.'),
    nodeSelector: labelSelector()
      .prefault({})
      .describe(
        'Which of its NixNodes with the role `frontend` serve it, by their labels. Absent or empty: all of those.',
      ),
    bind: setList(bind(), 16)
      .min(1)
      .describe(
        'Addresses and ports to listen on, such as `192.0.2.1:443`, `[2001:db8::1]:443`, or `:443` for every address. One that a host does not have takes no traffic there until it has it.',
      ),
    mode: z
      .enum(['TCP', 'HTTP'])
      .default('TCP')
      .describe('`TCP`: connections as they are. `HTTP`: requests, with `X-Forwarded-For`.'),
    balance: z
      .enum(['roundrobin', 'leastconn', 'source', 'random'])
      .default('leastconn')
      .describe('How a pod is chosen: in turn, the least busy, by the address of the client, or by chance.'),
    backend: backend.describe('The pods behind it.'),
  }),
  [
    {
      cel: 'self.clusterRef == oldSelf.clusterRef',
      message: 'clusterRef is immutable: make a ClusterFrontend for the other cluster, and delete this one',
    },
  ],
);

export type ClusterFrontendSpec = z.output<typeof clusterFrontendSpec>;

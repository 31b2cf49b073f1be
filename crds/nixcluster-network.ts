/** The address plan of a cluster: what pods, services and nodes are called and numbered. */
import { z } from 'zod';
import {
  contains,
  type Network,
  networkOrNull,
  overlaps,
  parseNetwork,
} from '../controllers/lib/core/network.ts';
import { network as cidr } from './address.ts';
import { integer, nameReference } from './common.ts';
import { atomicList, matches, type Rule, text, withRules, withTransitions } from './rules.ts';

/** Rules on several networks hold of networks; a field that is none has a rule of its own to say so. */
const ofNetworks = (written: readonly string[], test: (networks: Network[]) => boolean): boolean => {
  const networks = written.map(networkOrNull).filter((network) => network !== null);
  return networks.length < written.length || test(networks);
};

/** CEL's `isGlobalUnicast`, which follows Go: neither unspecified, loopback, multicast nor link-local. */
const special = ['127.0.0.0/8', '169.254.0.0/16', '224.0.0.0/4', '::1/128', 'fe80::/10', 'ff00::/8'].map(
  parseNetwork,
);
const isUnicast = ({ family, base }: Network): boolean => {
  const [bits, broadcast] = family === 4 ? [32, 0xffff_ffffn] : [128, undefined];
  const first = { family, base, prefix: bits };
  return base !== 0n && base !== broadcast && !special.some((range) => overlaps(range, first));
};

const unicast: Omit<Rule<string>, 'test'> = {
  cel: '!isCIDR(self) || cidr(self).ip().isGlobalUnicast()',
  message: 'must be of global or private addresses, not of loopback, link-local or multicast ones',
};

const ordinary = () =>
  withRules(cidr(), [{ ...unicast, test: (value) => ofNetworks([value], ([one]) => isUnicast(one!)) }]);

const podNetwork = withRules(
  z.object({
    cidr: ordinary().describe('The network that nodes get their subnets from.'),
    nodePrefix: integer(1, 128).describe(
      "Length of a subnet's prefix: node N gets the N-th subnet, counted from zero, and the host the first address in it.",
    ),
  }),
  [
    {
      cel: '!isCIDR(self.cidr) || self.nodePrefix > cidr(self.cidr).prefixLength()',
      message: 'nodePrefix must be longer than the prefix of cidr, or there is no subnet for any node',
      test: (pods) => ofNetworks([pods.cidr], ([one]) => pods.nodePrefix > one!.prefix),
    },
    {
      cel: '!isCIDR(self.cidr) || self.nodePrefix <= (cidr(self.cidr).ip().family() == 4 ? 28 : 120)',
      message: 'nodePrefix leaves a node too few addresses for pods: at most 28 for IPv4, and 120 for IPv6',
      test: (pods) => ofNetworks([pods.cidr], ([one]) => pods.nodePrefix <= (one!.family === 4 ? 28 : 120)),
    },
  ],
);

const serviceNetwork = () =>
  withRules(ordinary(), [
    {
      // The API server takes 20 bits at most; the names of the cluster are served at the tenth address.
      cel: '!isCIDR(self) || (cidr(self).ip().family() == 4 ? cidr(self).prefixLength() >= 12 && cidr(self).prefixLength() <= 28 : cidr(self).prefixLength() >= 108 && cidr(self).prefixLength() <= 124)',
      message: 'must be of 16 to 1048576 addresses: /12 to /28 for IPv4, /108 to /124 for IPv6',
      test: (value) =>
        ofNetworks([value], ([one]) => {
          const free = (one!.family === 4 ? 32 : 128) - one!.prefix;
          return free >= 4 && free <= 20;
        }),
    },
  ]);

const domain = () =>
  withRules(text({ min: 1, max: 190 }), [
    matches(
      /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?([.][a-z]([-a-z0-9]{0,61}[a-z0-9])?)*$/,
      'must be a domain such as k8s.internal: lower-case labels that begin with a letter',
    ),
  ]);

const fields = z.object({
  domain: domain()
    .default('k8s.internal')
    .describe("The cluster's domain. A node is known as `<NixNode's name>.<domain>`. Immutable."),
  pods: atomicList(podNetwork, 2)
    .min(1)
    .default([
      { cidr: 'fd88::/16', nodePrefix: 32 },
      { cidr: '10.88.0.0/16', nodePrefix: 24 },
    ])
    .describe('Networks of the pods, one of each family at most. Immutable once a node has a number.'),
  services: atomicList(serviceNetwork(), 2)
    .min(1)
    .default(['10.88.0.0/24'])
    .describe(
      'Networks of the services; the family of the first is the primary one. Immutable once a node has a number.',
    ),
  nodePortAddresses: atomicList(cidr(), 16)
    .default([])
    .describe(
      "Networks in which a node's addresses accept node ports. Empty: its addresses for other nodes.",
    ),
  cni: z
    .enum(['Bridge', 'Flannel', 'None'])
    .default('Bridge')
    .describe(
      '`Bridge`: the bridge `brkube` and host-local addresses; `Flannel`: the same, with VXLAN between nodes in place of a mesh; `None`: bring your own.',
    ),
  meshRef: nameReference('WireguardMesh')
    .optional()
    .describe('The mesh that carries traffic between nodes. Immutable; one mesh a cluster.'),
  routing: z
    .enum(['Direct', 'External'])
    .optional()
    .describe(
      'Without a mesh: `Direct` routes over a link that the nodes share; `External` leaves routes to others. Absent: `Direct`.',
    ),
  masquerade: z
    .boolean()
    .default(true)
    .describe(
      "Whether pods reach the outside by their node's address. Global addresses need no translation.",
    ),
  allowInbound: atomicList(cidr(), 64)
    .default([])
    .describe('Networks outside that may open connections to pods.'),
});
type Fields = z.output<typeof fields>;

const familiesDiffer = (written: readonly string[]): boolean =>
  ofNetworks(written, (networks) => new Set(networks.map(({ family }) => family)).size === networks.length);

const rules: readonly Rule<Fields>[] = [
  {
    cel: 'self.pods.size() < 2 || self.pods.exists(p, !isCIDR(p.cidr)) || cidr(self.pods[0].cidr).ip().family() != cidr(self.pods[1].cidr).ip().family()',
    message: 'pods has two networks of one family: one of each family at most',
    fieldPath: '.pods',
    test: ({ pods }) => familiesDiffer(pods.map((pod) => pod.cidr)),
  },
  {
    cel: 'self.services.size() < 2 || self.services.exists(s, !isCIDR(s)) || cidr(self.services[0]).ip().family() != cidr(self.services[1]).ip().family()',
    message: 'services has two networks of one family: one of each family at most',
    fieldPath: '.services',
    test: ({ services }) => familiesDiffer(services),
  },
  {
    cel: 'self.pods.exists(p, !isCIDR(p.cidr)) || self.services.exists(s, !isCIDR(s)) || self.services.all(s, self.pods.exists(p, cidr(p.cidr).ip().family() == cidr(s).ip().family()))',
    message:
      'services has a family that pods lacks: give services networks of the families of pods (the default is 10.88.0.0/24), or add one to pods',
    fieldPath: '.services',
    test: ({ pods, services }) =>
      ofNetworks([...pods.map((pod) => pod.cidr), ...services], () =>
        services.every((one) =>
          pods.some((pod) => parseNetwork(pod.cidr).family === parseNetwork(one).family),
        ),
      ),
  },
  {
    cel: 'self.pods.exists(p, !isCIDR(p.cidr)) || self.services.exists(s, !isCIDR(s)) || self.services.all(s, self.pods.all(p, !cidr(s).containsCIDR(cidr(p.cidr)) && (!cidr(p.cidr).containsCIDR(cidr(s)) || cidr(s).prefixLength() >= p.nodePrefix)))',
    message:
      'services overlaps more of pods than one subnet of a node: put it outside of pods, or into one subnet of nodePrefix, which then no node gets',
    fieldPath: '.services',
    test: ({ pods, services }) =>
      ofNetworks([...pods.map((pod) => pod.cidr), ...services], () =>
        services.map(parseNetwork).every((one) => pods.every((pod) => liesApart(one, pod))),
      ),
  },
  {
    cel: "self.cni != 'Flannel' || !(has(self.meshRef) || has(self.routing))",
    message: 'cni Flannel carries packets between nodes itself: leave out meshRef and routing, or use Bridge',
    fieldPath: '.cni',
    test: ({ cni, meshRef, routing }) =>
      cni !== 'Flannel' || (meshRef === undefined && routing === undefined),
  },
  {
    cel: '!(has(self.meshRef) && has(self.routing))',
    message: 'routing is for clusters without meshRef: the mesh routes',
    fieldPath: '.routing',
    test: ({ meshRef, routing }) => meshRef === undefined || routing === undefined,
  },
];

function liesApart(services: Network, { cidr: written, nodePrefix }: Fields['pods'][number]): boolean {
  const pods = parseNetwork(written);
  return !contains(services, pods) && (!contains(pods, services) || services.prefix >= nodePrefix);
}

/** The whole is immutable where a part of it is: a rule on a field misses that it is added or removed. */
export const clusterNetwork = withTransitions(withRules(fields, rules), [
  {
    cel: 'self.domain == oldSelf.domain',
    message: 'domain is immutable: certificates, names and service accounts are made for it',
  },
  {
    cel: 'has(self.meshRef) == has(oldSelf.meshRef) && (!has(self.meshRef) || self.meshRef.name == oldSelf.meshRef.name)',
    message: 'meshRef is immutable: nodes would lose each other on the way from one to the other',
  },
]);

export type ClusterNetwork = Fields;

/** NixCluster: gives its nodes numbers, addresses and one nixpkgs. It asks etcd alone by itself: what hosts say is in NixNodes. */
import { isDeepStrictEqual } from 'node:util';
import { type ClusterNode, ClusterPKI, NixCluster, NixNode, WireguardMesh } from '../../crds/index.ts';
import { ReconcileError } from '../lib/core/outcome.ts';
import { settleAll } from '../lib/core/settle-all.ts';
import { several } from '../lib/core/several.ts';
import { timestamp } from '../lib/core/timestamp.ts';
import { SecretKind } from '../lib/kube/core-kinds.ts';
import type { Objects } from '../lib/kube/objects.ts';
import {
  type Context,
  type Controller,
  defineController,
  input,
  referenced,
} from '../lib/runtime/controller.ts';
import type { Targets } from '../lib/target/targets.ts';
import { assign } from './allocate.ts';
import { defaultPki } from './default-pki.ts';
import { depart, type Known } from './depart.ts';
import { tendEtcd } from './etcd.ts';
import {
  clusterOfNode,
  clustersOfMesh,
  clustersOfPki,
  meshForCluster,
  nodeForCluster,
  pkiForCluster,
} from './inputs.ts';
import { letLeave } from './leave.ts';
import { byName, claimsOf, claimsOfPeers, memberOf, underlayOf } from './members.ts';
import { type Claim, checkOverlaps, highestIndex, servicesOf, takenIndexes } from './network.ts';
import { nodesIn } from './relations.ts';
import { rollOut } from './roll-out.ts';
import { checkRollout } from './rollout-verdict.ts';
import { checkSettings } from './settings.ts';
import { checkMembers, checkRoutes, endpointOf, nodesOf, readiness } from './status.ts';
import { beginVersions, checkUpgrade, pin, type VersionsVisit } from './version-steps.ts';
import { withVersions } from './versions.ts';

/** Every change of its objects wakes it at once; this is the net below. */
const recheckMs = 600_000;
/** As many as status.nodes holds. */
const maxNodes = 1000;

/** What the controller reads and writes, as data: roles are made from it. */
export const declaration = {
  name: 'nixcluster',
  primary: NixCluster,
  inputs: [
    input(NixNode, clusterOfNode, nodeForCluster),
    input(WireguardMesh, clustersOfMesh, meshForCluster),
    input(ClusterPKI, clustersOfPki, pkiForCluster),
    // Logins and authorities: what changes in them is seen at the next look.
    referenced(SecretKind, () => []),
  ],
  conditions: ['Planned', 'Allocated', 'Pinned', 'EtcdHealthy', 'RolledOut', 'Upgraded', 'MembersReady'],
  creates: [ClusterPKI],
} as const;

type Visit = VersionsVisit & {
  namespace: string;
  /** Without those who left. */
  known: Known;
  objects: Objects;
  /** Of others, found by `plan`. */
  claims: Claim[];
};

/** What the controller acts with. */
export type ClusterServices = { objects: Objects; targets: Targets };

export function nixClusterController({ objects, targets }: ClusterServices): Controller {
  return defineController<NixCluster>({
    ...declaration,

    async reconcile(cluster, context) {
      const visit = begin(cluster, context, objects);
      let soonest = recheckMs;
      // What one step cannot do holds up those alone that build on it.
      await settleAll([
        async () => {
          await context.step('Planned', () => plan(visit));
          await context.step('Allocated', () => allocate(visit));
        },
        () => context.step('Pinned', () => pin(visit, () => reportNodes(visit))),
        async () => {
          const { members } = visit;
          const etcd = { cluster, members, nodes: placesOf(visit), context, targets };
          soonest = Math.min(soonest, (await context.step('EtcdHealthy', () => tendEtcd(etcd))).recheckMs);
        },
        () => context.step('RolledOut', () => roll(visit)),
        () => context.step('Upgraded', () => checkUpgrade(visit)),
        () =>
          context.step('MembersReady', () => {
            checkMembers(cluster, visit.members);
            checkRoutes(cluster, nodesOf(cluster, visit.known.nodes, visit.members));
          }),
      ]);
      context.summary('Healthy');
      return { recheckMs: soonest };
    },
  });
}

function begin(cluster: NixCluster, context: Context<NixCluster>, objects: Objects): Visit {
  const { namespace = '', name } = cluster.metadata;
  const members = nodesIn(cluster, context.read);
  const { nodes = [], retiredIndexes: retired = [] } = cluster.status ?? {};
  const at = timestamp(context.clock.now());
  const known = depart(
    { nodes: nodes.map(({ name, uid, index }) => ({ name, uid, index })), retired },
    members.map((node) => memberOf(node, name)),
    at,
  );
  const versions = beginVersions(cluster, context, members);
  const visit: Visit = { ...versions, namespace, known, objects, claims: [] };
  context.report({ endpoint: endpointOf(cluster), members: readiness(members) });
  reportNodes(visit);
  return visit;
}

const placesOf = ({ cluster, known, members, upgrade }: Visit): ClusterNode[] =>
  withVersions(nodesOf(cluster, known.nodes, members), upgrade);

const reportNodes = (visit: Visit): void =>
  visit.context.report({ nodes: placesOf(visit), retiredIndexes: [...visit.known.retired] });

/** Whose addresses must not be those of pods or services. */
function claimsAround({ cluster, context, namespace, members }: Visit): Claim[] {
  const { meshRef } = cluster.spec.network;
  const mesh = meshRef && context.read.require(WireguardMesh, namespace, meshRef.name);
  const before = new Map((cluster.status?.nodes ?? []).map((node) => [node.name, node]));
  const underlays = members.map((node) => ({
    name: node.metadata.name,
    underlay: underlayOf(node, before.get(node.metadata.name)),
  }));
  return [...claimsOfPeers(mesh), ...claimsOf(underlays.sort(byName))];
}

async function plan(visit: Visit): Promise<void> {
  const { cluster, known } = visit;
  checkSettings(cluster);
  visit.claims = claimsAround(visit);
  checkOverlaps(cluster.spec.network, visit.claims, known.nodes);
  await ensurePki(visit);
}

async function ensurePki({ cluster, context, namespace, objects }: Visit): Promise<void> {
  const { pkiRef } = cluster.spec;
  if (pkiRef) {
    context.read.require(ClusterPKI, namespace, pkiRef.name);
    return;
  }
  const { name } = cluster.metadata;
  if (context.read.get(ClusterPKI, namespace, name)) return;
  const made = await objects.create(ClusterPKI, defaultPki(cluster), context.signal);
  if (made === 'created') context.event('Normal', 'PkiCreated', `made ClusterPKI ${name} with its defaults`);
}

async function allocate(visit: Visit): Promise<void> {
  const { cluster, context, members, known, claims } = visit;
  const { network } = cluster.spec;
  const taken = takenIndexes(network, [...servicesOf(network), ...claims]);
  const limits = { highest: highestIndex(network), taken, nodes: maxNodes };
  const of = members.map((node) => memberOf(node, cluster.metadata.name));
  const { nodes, retired, problems, unasked } = assign(known, of, limits);
  visit.known = { nodes, retired };
  reportNodes(visit);
  // Guarded by the version that this was read from: nobody hands out the same number meanwhile.
  if (!isDeepStrictEqual(nodes, known.nodes)) await context.publishNow();
  const [first] = problems;
  if (first) {
    const said = problems.map(({ message }) => message);
    throw new ReconcileError('terminal', first.reason, several(said, '; '));
  }
  if (unasked.length > 0) throw new ReconcileError('waiting', 'MembersUnobserved', unaskedSays(unasked));
}

/** Who leaves goes before anybody changes: both take nodes away from those that are left. */
async function roll(visit: Visit): Promise<void> {
  const { cluster, context, members } = visit;
  const api = null;
  const now = context.clock.now();
  const nodes = placesOf(visit);
  const left = await letLeave({ cluster, members, nodes, api, now });
  const rolled = await rollOut({ cluster, members, nodes: left.nodes, api, now });
  context.report({ nodes: rolled.nodes });
  for (const name of left.gone) context.event('Normal', 'NodeDeleted', `${name} left: its Node is deleted`);
  checkRollout(rolled.turns, rolled.decisions);
}

const unaskedSays = (names: readonly string[]): string =>
  `hosts are asked whether they have a number already, before any is given; not heard yet: ${several(names)}. spec.index of a NixNode says its number without that`;

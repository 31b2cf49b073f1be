/**
 * NixCluster: gives its nodes numbers, addresses and one nixpkgs, and looks after what is in the cluster itself. It deploys
 * nothing to hosts: what they say is in NixNodes.
 */
import { type ClusterEtcd, ClusterPKI, NixCluster, NixNode, WireguardMesh } from '../../crds/index.ts';
import { settleAll } from '../lib/core/settle-all.ts';
import { SecretKind } from '../lib/kube/core-kinds.ts';
import type { Objects } from '../lib/kube/objects.ts';
import { type Controller, defineController, input, referenced } from '../lib/runtime/controller.ts';
import type { Targets } from '../lib/target/targets.ts';
import { letLeave } from './departure/leave.ts';
import { tendEtcd } from './etcd/tend.ts';
import { allocate, plan } from './ground.ts';
import {
  clusterOfNode,
  clustersOfMesh,
  clustersOfPki,
  clustersOfSecret,
  meshForCluster,
  nodeForCluster,
  pkiForCluster,
} from './inputs.ts';
import { followed, type Live, lookAtNodes, type Remembered, reachApi, type Ways } from './live.ts';
import type { NodeState } from './plan-node.ts';
import { rollOut } from './rollout/roll.ts';
import { checkRollout } from './rollout/verdict.ts';
import { checkMembers, checkRoutes } from './status.ts';
import { checkNodes } from './tend-nodes.ts';
import { checkUpgrade, pin } from './version-steps.ts';
import { begin, placesOf, reportNodes, type Visit } from './visit.ts';

/** Every change of its objects wakes it at once; this is the net below. */
const recheckMs = 600_000;
/** What the controller reads and writes, as data: roles are made from it. */
export const declaration = {
  name: 'nixcluster',
  primary: NixCluster,
  inputs: [
    input(NixNode, clusterOfNode, nodeForCluster),
    input(WireguardMesh, clustersOfMesh, meshForCluster),
    input(ClusterPKI, clustersOfPki, pkiForCluster),
    // Logins and authorities.
    referenced(SecretKind, clustersOfSecret),
  ],
  conditions: [
    ...['Planned', 'Allocated', 'Pinned', 'EtcdHealthy', 'ApiAvailable', 'NodesReady'],
    ...['RolledOut', 'Upgraded', 'MembersReady'],
  ],
  creates: [ClusterPKI],
} as const;

/** What the controller acts with. */
export type ClusterServices = { objects: Objects; targets: Targets };

export function nixClusterController({ objects, targets }: ClusterServices): Controller {
  const remembered: Remembered = new Map();
  const follower = targets.follower(followed, (uid) => {
    remembered.delete(uid);
    void targets.forget(uid);
  });
  const ways: Ways = { targets, follower, remembered };
  return defineController<NixCluster>({
    ...declaration,
    source: follower,

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
          const found = (seen: ClusterEtcd) => {
            visit.etcd = seen;
          };
          const etcd = { cluster, members, nodes: placesOf(visit), context, targets, found };
          soonest = Math.min(soonest, (await context.step('EtcdHealthy', () => tendEtcd(etcd))).recheckMs);
        },
        async () => {
          visit.live = await context.step('ApiAvailable', () => reachApi(cluster, context, ways));
          const { live } = visit;
          await context.step('NodesReady', () => tend(visit, live, ways));
        },
        () => context.step('RolledOut', () => roll(visit)),
        () => context.step('Upgraded', () => checkUpgrade(visit)),
        () =>
          context.step('MembersReady', () => {
            checkMembers(cluster, visit.members);
            checkRoutes(cluster, placesOf(visit));
          }),
      ]);
      context.summary('Healthy');
      return { recheckMs: soonest };
    },
  });
}

async function tend(visit: Visit, live: Live, ways: Ways): Promise<void> {
  const { cluster, context, members } = visit;
  const states = new Map<string, NodeState | null>();
  visit.states = states;
  try {
    await lookAtNodes(cluster, members, placesOf(visit), states, live, ways, context);
  } finally {
    reportNodes(visit);
  }
  checkNodes(members, visit.states);
}

/**
 * Who leaves goes before anybody changes: both take nodes away from those that are left. Who may is decided by etcd as it
 * was found just now: the next one must not go because the last one was well before it changed.
 */
async function roll(visit: Visit): Promise<void> {
  const { context, members, live, etcd } = visit;
  const cluster = { ...visit.cluster, status: { ...visit.cluster.status, etcd } };
  const now = context.clock.now();
  const api = live ? { client: live.client, signal: context.signal, now } : null;
  const nodes = placesOf(visit);
  const left = await letLeave({ cluster, members, nodes, api, now });
  const rolled = await rollOut({ cluster, members, nodes: left.nodes, api, now });
  context.report({ nodes: rolled.nodes });
  for (const name of left.gone) context.event('Normal', 'NodeDeleted', `${name} left: its Node is deleted`);
  const looks = [left.recheckMs, rolled.recheckMs].filter((ms) => ms !== undefined);
  checkRollout({ ...rolled, recheckMs: looks.length > 0 ? Math.min(...looks) : undefined });
}

/** NixNode: keeps one host what its objects say. What to do is decided in plan.ts; here it is done. */
import {
  ClusterFrontend,
  ClusterPKI,
  NixCluster,
  NixModule,
  NixNode,
  WireguardMesh,
} from '../../crds/index.ts';
import { frontendForOthers, nodesOfFrontend } from '../clusterfrontend/sources.ts';
import { ConfigMapKind, SecretKind } from '../lib/kube/core-kinds.ts';
import { type Controller, defineController, input, referenced } from '../lib/runtime/controller.ts';
import { runsKubelet } from '../nixcluster/plan-node.ts';
import {
  clusterForNode,
  clusterForNodes,
  isMemberAiling,
  meshForNodes,
  nodesOfCluster,
  nodesOfClusterSecret,
  nodesOfMesh,
  nodesOfPki,
  pkiForNodes,
} from './cluster-sources.ts';
import { deletionPolicyOf } from './deletion-policy.ts';
import { deploy } from './deploy.ts';
import type { Fences } from './fence.ts';
import { finalizeNode } from './finalize.ts';
import { checkHealth, recheckAfter, recheckFrontends, recheckMember } from './health.ts';
import { readRecord } from './manifest.ts';
import { checkNodeObject } from './node-object.ts';
import { render } from './render.ts';
import type { Services } from './services.ts';
import { nodesOfConfigMap, nodesOfModule, nodesOfSecret } from './sources.ts';
import { meshSeen, reach, takeOver } from './visit.ts';

/** What the controller reads and writes, as data: roles and the controller's page in the docs are made from it. */
export const declaration = {
  name: 'nixnode',
  primary: NixNode,
  inputs: [
    input(NixModule, nodesOfModule),
    input(NixCluster, nodesOfCluster, clusterForNodes, clusterForNode),
    input(WireguardMesh, nodesOfMesh, meshForNodes),
    input(ClusterPKI, nodesOfPki, pkiForNodes),
    input(ClusterFrontend, nodesOfFrontend, frontendForOthers),
    referenced(ConfigMapKind, nodesOfConfigMap),
    referenced(SecretKind, (secret, read) => [
      ...nodesOfSecret(secret, read),
      ...nodesOfClusterSecret(secret, read),
    ]),
  ],
  conditions: ['Reachable', 'Rendered', 'Built', 'Applied', 'Healthy', 'NodeReady'],
  finalizer: 'firn.dev/nixnode',
} as const;

export function nixNodeController(services: Services): Controller {
  /** Fencing numbers of this leader, by UID: taken once, never raised by the same leader. */
  const fences: Fences = new Map();
  return defineController<NixNode>({
    ...declaration,
    deadlineMs: 240_000,

    async reconcile(node, context) {
      if (!runsKubelet(node)) context.without('NodeReady');
      const visit = await context.step('Reachable', async () => {
        const reached = await reach(node, context, services, fences);
        await takeOver(reached);
        return reached;
      });
      const desired = await context.step('Rendered', () => render(visit));
      context.report({ deletionPolicy: deletionPolicyOf(node, visit.membership?.cluster) });
      await deploy(visit, desired);
      await context.step('Healthy', () => checkHealth(visit.seen, context.clock.now()));
      const staged = Date.parse(readRecord(visit.seen.manifestB64).renderedAt ?? '');
      const forMesh = recheckAfter(meshSeen(visit), context.clock.now() - (staged || 0));
      const { membership } = visit;
      const isAiling = membership !== null && isMemberAiling(membership.cluster, node.metadata.name);
      const recheckMs = Math.min(
        ...[forMesh, recheckFrontends(visit.seen.frontends), recheckMember(isAiling)],
      );
      context.report({ kubernetesVersion: membership?.place.node?.version });
      // Last of all: a Node that is not ready keeps nothing from being deployed.
      if (membership && runsKubelet(node)) {
        const { cluster, place } = membership;
        await context.step('NodeReady', () => checkNodeObject(cluster.metadata.name, place, recheckMs));
      }
      context.summary('Healthy');
      return { recheckMs };
    },

    finalize: (node, context) => finalizeNode(node, context, services, fences),
  });
}

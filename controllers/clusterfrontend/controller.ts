/** ClusterFrontend: which nodes serve it, and how it is there. It never talks to hosts: NixNodes say what those have. */
import { ClusterFrontend, ClusterPKI, NixCluster, NixNode } from '../../crds/index.ts';
import { ReconcileError } from '../lib/core/outcome.ts';
import { settleAll } from '../lib/core/settle-all.ts';
import type { KubeClient } from '../lib/kube/client.ts';
import { SecretKind } from '../lib/kube/core-kinds.ts';
import { isNotFound, KubeError } from '../lib/kube/kube-error.ts';
import {
  type Context,
  type Controller,
  defineController,
  input,
  type Reader,
  referenced,
} from '../lib/runtime/controller.ts';
import { nodesIn } from '../nixcluster/relations.ts';
import { backendOf, placeOf, ServiceKind } from './backend.ts';
import {
  clusterForFrontends,
  frontendForOthers,
  frontendsBeside,
  frontendsNaming,
  frontendsOfCluster,
  frontendsOfNode,
  nodeForFrontends,
} from './sources.ts';
import { type Backend, verdictOf } from './verdict.ts';
import { fieldsOf, type View, viewOf } from './view.ts';

/** Every change of its objects wakes it at once; this is the net below. */
const recheckMs = 600_000;

/** What the controller reads and writes, as data: roles are made from it. */
export const declaration = {
  name: 'clusterfrontend',
  primary: ClusterFrontend,
  inputs: [
    input(ClusterFrontend, frontendsBeside, frontendForOthers),
    input(NixCluster, frontendsOfCluster, clusterForFrontends),
    input(NixNode, frontendsOfNode, nodeForFrontends),
    // Read on the way into the cluster; what hinders that is tried again.
    input(ClusterPKI, () => []),
    referenced(SecretKind, () => []),
  ],
  conditions: ['Placed', 'BackendFound', 'Deployed', 'Serving'],
} as const;

/** Throws `ReconcileError` in words where there is no way into the cluster. */
type Target = (cluster: NixCluster, read: Reader) => Promise<KubeClient>;

export function clusterFrontendController(target: Target): Controller {
  return defineController<ClusterFrontend>({
    ...declaration,

    async reconcile(frontend, context) {
      const { read } = context;
      const { namespace = '' } = frontend.metadata;
      let view: (View & { cluster: NixCluster }) | undefined;
      const look = (): NonNullable<typeof view> => {
        const cluster = read.require(NixCluster, namespace, frontend.spec.clusterRef.name);
        const seen = viewOf(frontend, nodesIn(cluster, read), frontendsNaming(cluster, read));
        context.report(fieldsOf(seen));
        return { ...seen, cluster };
      };
      // Nodes that can serve it do, whatever keeps it from others.
      await settleAll([
        () =>
          context.step('Placed', () => {
            view = look();
            verdictOf.placed(view);
          }),
        async () => {
          if (!view) return;
          const found = await ask(target, view.cluster, frontend, context);
          // Where the cluster does not answer, the hosts still say which pods its DNS names.
          if (found) await context.step('BackendFound', () => verdictOf.backend(frontend, found));
        },
        async () => {
          if (!view || view.nodes.length === 0) return;
          const placed = view;
          await context.step('Deployed', () => verdictOf.deployed(placed));
          await context.step('Serving', () => verdictOf.serving(placed));
        },
      ]);
      context.summary('Serving');
      return { recheckMs };
    },
  });
}

const askMs = 10_000;

/** Null where the cluster does not answer: that is for its own status to say. */
async function ask(
  target: Target,
  cluster: NixCluster,
  frontend: ClusterFrontend,
  { read, signal }: Context<ClusterFrontend>,
): Promise<Backend> {
  try {
    const client = await target(cluster, read);
    return backendOf(await client.get(ServiceKind, placeOf(frontend), { signal, deadlineMs: askMs }));
  } catch (error) {
    if (isNotFound(error)) return 'Absent';
    if (error instanceof KubeError || error instanceof ReconcileError) return null;
    throw error;
  }
}

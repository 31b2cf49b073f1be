/** ClusterFrontend: which nodes serve it, and how it is there. It never talks to hosts: NixNodes say what those have. */
import { ClusterFrontend, NixCluster, NixNode } from '../../crds/index.ts';
import { settleAll } from '../lib/core/settle-all.ts';
import { type Controller, defineController, input } from '../lib/runtime/controller.ts';
import { nodesIn } from '../nixcluster/relations.ts';
import {
  clusterForFrontends,
  frontendsNaming,
  frontendsOfCluster,
  frontendsOfNode,
  nodeForFrontends,
} from './sources.ts';
import { verdictOf } from './verdict.ts';
import { fieldsOf, type View, viewOf } from './view.ts';

/** Every change of its objects wakes it at once; this is the net below. */
const recheckMs = 600_000;

/** What the controller reads and writes, as data: roles are made from it. */
export const declaration = {
  name: 'clusterfrontend',
  primary: ClusterFrontend,
  inputs: [
    input(NixCluster, frontendsOfCluster, clusterForFrontends),
    input(NixNode, frontendsOfNode, nodeForFrontends),
  ],
  conditions: ['Placed', 'Deployed', 'Serving'],
} as const;

export function clusterFrontendController(): Controller {
  return defineController<ClusterFrontend>({
    ...declaration,

    async reconcile(frontend, context) {
      const { read } = context;
      const { namespace = '' } = frontend.metadata;
      let view: View | undefined;
      const look = (): View => {
        const cluster = read.require(NixCluster, namespace, frontend.spec.clusterRef.name);
        const seen = viewOf(frontend, nodesIn(cluster, read), frontendsNaming(cluster, read));
        context.report(fieldsOf(seen));
        return seen;
      };
      // Nodes that can serve it do, whatever keeps it from others.
      await settleAll([
        () =>
          context.step('Placed', () => {
            view = look();
            verdictOf.placed(view);
          }),
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

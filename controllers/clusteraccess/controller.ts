/** ClusterAccess: keeps a kubeconfig in a Secret. What it decides by is in the files beside this one. */
import { ClusterAccess, ClusterPKI, NixCluster, NixNode } from '../../crds/index.ts';
import { ReconcileError } from '../lib/core/outcome.ts';
import type { KubeClient } from '../lib/kube/client.ts';
import { SecretKind } from '../lib/kube/core-kinds.ts';
import { readBindings } from '../lib/kube/rbac.ts';
import {
  type Controller,
  defineController,
  input,
  type Reader,
  referenced,
} from '../lib/runtime/controller.ts';
import {
  accessesOfCluster,
  accessesOfPki,
  accessesOfSecret,
  clusterForAccess,
  pkiForAccess,
} from './inputs.ts';
import { type AccessServices, checkBound, dropSecret, ensureKubeconfig, type Visit } from './visit.ts';

/** Changes wake it at once; time passes by itself, and what is bound in the cluster is not told to us. */
const recheckMs = 3_600_000;
const unboundMs = 60_000;

/** What the controller reads and writes, as data: roles are made from it. */
export const declaration = {
  name: 'clusteraccess',
  primary: ClusterAccess,
  inputs: [
    input(NixCluster, accessesOfCluster, clusterForAccess),
    input(ClusterPKI, accessesOfPki, pkiForAccess),
    // Read on the way into the cluster; none of its changes matters to a kubeconfig.
    input(NixNode, () => []),
    referenced(SecretKind, accessesOfSecret),
  ],
  conditions: ['Issued', 'Bound'],
  finalizer: 'firn.dev/clusteraccess',
  creates: [SecretKind],
  patches: [SecretKind],
  deletes: [SecretKind],
} as const;

type Given = Pick<AccessServices, 'objects' | 'randomBytes'> & {
  /** Throws `ReconcileError` in words where there is no way into the cluster. */
  target(cluster: NixCluster, read: Reader): Promise<KubeClient>;
};

export function clusterAccessController({ target, ...given }: Given): Controller {
  const services: AccessServices = {
    ...given,
    bindings: async (cluster, read, signal) =>
      readBindings(await target(cluster, read), `NixCluster ${cluster.metadata.name}`, signal),
  };
  return defineController<ClusterAccess>({
    ...declaration,

    async reconcile(access, context) {
      const visit: Visit = { access, context, services };
      const { renewAt } = await context.step('Issued', () => ensureKubeconfig(visit));
      const bound = await isBound(visit);
      context.summary(bound === 'NotBound' ? 'NotBound' : 'Issued');
      const within = bound === null ? recheckMs : unboundMs;
      return { recheckMs: Math.max(1_000, Math.min(within, renewAt - context.clock.now())) };
    },

    /** The owner reference says the same, to clusters that collect garbage. */
    async finalize(access, context) {
      const names = new Set([access.spec.secretName, access.status?.secretName ?? access.spec.secretName]);
      for (const name of names) await dropSecret(access, name, context, services.objects);
      return 'done';
    },
  });
}

/** Why not, as a reason; null where it is. A kubeconfig is ready without: rights may be given later. */
async function isBound(visit: Visit): Promise<string | null> {
  try {
    await visit.context.step('Bound', () => checkBound(visit));
    return null;
  } catch (error) {
    if (error instanceof ReconcileError) return error.reason;
    throw error;
  }
}

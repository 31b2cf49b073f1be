/** WireguardMesh: who is whose peer, with which keys. It never talks to hosts: NixNodes say what those have. */
import { NixCluster, NixNode, WireguardMesh } from '../../crds/index.ts';
import { ReconcileError } from '../lib/core/outcome.ts';
import { SecretKind } from '../lib/kube/core-kinds.ts';
import type { Objects } from '../lib/kube/objects.ts';
import {
  type Controller,
  defineController,
  input,
  type Context as RuntimeContext,
  referenced,
} from '../lib/runtime/controller.ts';
import { clustersUsingMesh, nodesIn } from '../nixcluster/relations.ts';
import { membersOf, requireMembers } from './members.ts';
import { type MeshPlan, planMesh } from './plan.ts';
import { secretBytes } from './preshared.ts';
import { checkSecret, refuseToReplace, secretOf } from './secret.ts';
import {
  clusterForMesh,
  meshesOfSecret,
  meshOfCluster,
  meshOfNode,
  nodeForMesh,
  secretNameOf,
} from './sources.ts';
import { verdictOf } from './verdict.ts';

type Context = RuntimeContext<WireguardMesh>;

export type MeshServices = {
  objects: Objects;
  /** As many as asked for, of the kind that keys are made of. */
  randomBytes(count: number): Uint8Array;
};

/** What the controller reads and writes, as data: roles and the controller's page in the docs are made from it. */
export const declaration = {
  name: 'wireguardmesh',
  primary: WireguardMesh,
  inputs: [
    input(NixCluster, meshOfCluster, clusterForMesh),
    input(NixNode, meshOfNode, nodeForMesh),
    referenced(SecretKind, meshesOfSecret),
  ],
  creates: [SecretKind],
  conditions: ['Planned', 'Keyed', 'Connected'],
} as const;

/** Changes of NixNodes wake it; the clock does for what is due, and to write ages anew. */
const recheckMs = 600_000;
/** What is due now begins with the next look, and not within this one. */
const soonestMs = 1_000;

export function wireguardMeshController(services: MeshServices): Controller {
  return defineController<WireguardMesh>({
    ...declaration,

    async reconcile(mesh, context) {
      const plan = await context.step('Planned', () => planned(mesh, context, services));
      await context.step('Keyed', () => verdictOf.keys(plan));
      await context.step('Connected', () => verdictOf.pairs(plan));
      context.summary(plan.fields.rotation ? 'Rotating' : 'Connected');
      return { recheckMs: Math.max(soonestMs, Math.min(recheckMs, plan.dueMs)) };
    },
  });
}

async function planned(mesh: WireguardMesh, context: Context, services: MeshServices): Promise<MeshPlan> {
  const { read, clock } = context;
  const cluster = clusterOf(mesh, context);
  const nodes = nodesIn(cluster, read);
  const members = membersOf(cluster, nodes);
  requireMembers(mesh, cluster, members);
  const secretName = await ensureSecret(mesh, cluster, nodes, context, services);
  context.report({ secretName });
  const plan = planMesh(mesh, cluster, members, clock.now());
  context.report(plan.fields);
  announce(mesh, plan, context);
  verdictOf.conflicts(plan);
  return plan;
}

function clusterOf(mesh: WireguardMesh, { read }: Context): NixCluster {
  const [cluster, ...others] = clustersUsingMesh(mesh, read);
  if (cluster === undefined) {
    const message = `no NixCluster names it in spec.network.meshRef`;
    throw new ReconcileError('waiting', 'MeshUnused', message);
  }
  if (others.length > 0) {
    const names = [cluster, ...others].map((one) => one.metadata.name).join(', ');
    const message = `several NixClusters name it in spec.network.meshRef (${names}): each needs a mesh of its own`;
    throw new ReconcileError('terminal', 'MeshShared', message);
  }
  return cluster;
}

/**
 * The name of the Secret; undefined in a mesh without preshared keys, and until the cache shows a Secret that was just
 * made: once it has a name in status, one that is missing is one that was lost.
 */
async function ensureSecret(
  mesh: WireguardMesh,
  cluster: NixCluster,
  nodes: readonly NixNode[],
  context: Context,
  { objects, randomBytes }: MeshServices,
): Promise<string | undefined> {
  if (!mesh.spec.presharedKeys) return undefined;
  const { read, signal } = context;
  const namespace = mesh.metadata.namespace ?? '';
  const name = secretNameOf(mesh.metadata.name);
  try {
    checkSecret(await read.load(SecretKind, namespace, name));
    return name;
  } catch (error) {
    if (!(error instanceof ReconcileError && error.reason === 'SecretNotFound')) throw error;
  }
  refuseToReplace(mesh, cluster.metadata.name, nodes);
  const made = await objects.create(SecretKind, secretOf(mesh, randomBytes(secretBytes)), signal);
  if (made === 'created')
    context.event('Normal', 'MeshSecretMade', `preshared keys are derived from Secret ${name}; keep it`);
  return undefined;
}

function announce({ status }: WireguardMesh, { fields }: MeshPlan, context: Context): void {
  const [before, now] = [status?.rotation, fields.rotation];
  if (now !== undefined && (now.stage !== before?.stage || now.epoch !== before.epoch)) {
    context.event('Normal', 'KeyRotation', `keys of epoch ${now.epoch}: ${now.stage}`);
  }
  if (before !== undefined && now === undefined) {
    context.event(
      'Normal',
      'KeysRotated',
      `every node uses its key of epoch ${before.epoch}; the former ones are gone`,
    );
  }
}

/** One visit to a host: the login, what the host said on arrival, and the one way in which the operator acts there. */
import type { NixNode, NixNodeStatus } from '../../crds/index.ts';
import { ReconcileError } from '../lib/core/outcome.ts';
import type { Host, Target } from '../lib/host/host.ts';
import type { Fencing, HostReply, HostRequest, Observation, Subcommand } from '../lib/host/protocol.ts';
import { SecretKind } from '../lib/kube/core-kinds.ts';
import type { Context as RuntimeContext } from '../lib/runtime/controller.ts';
import { type Fences, nextFence } from './fence.ts';
import type { Wanted } from './gate.ts';
import { asReconcileError } from './host-failure.ts';
import { type Login, loginOf } from './login.ts';
import { meshStatusOf, saysTheSame } from './member-status.ts';
import type { Membership } from './membership.ts';
import { soonAgain } from './retry.ts';
import type { Services } from './services.ts';
import { isObservedAnew, releaseOf, statusOf } from './status.ts';

export type Context = RuntimeContext<NixNode>;

export type Visit = {
  readonly node: NixNode;
  readonly context: Context;
  readonly services: Services;
  readonly login: Login;
  readonly host: Host;
  readonly fences: Fences;
  /** The newest observation. */
  seen: Observation;
  /** Null for a node of no cluster, and until the release is rendered. */
  membership: Membership | null;
  /** Of the release that is asked for; until it is rendered, what was asked for last time. */
  desiredId: string | undefined;
  /** That release, once it is rendered. */
  wanted?: Wanted;
  /** Whether `claim` was made on this visit. */
  claimed: boolean;
};

type Unfenced<S extends Subcommand> = Omit<HostRequest<S>, keyof Fencing>;
type Acting = Exclude<Subcommand, 'observe' | 'claim' | 'log' | 'depart'>;

const observeMs = 30_000;
/** Uploads go at the speed of the network. */
const actMs: Partial<Record<Subcommand, number>> = { stage: 120_000, confirm: 100_000 };
const actDefaultMs = 30_000;

/** Logs in and looks. Throws `ReconcileError` with a reason of its own for each way in which that fails. */
export async function reach(
  node: NixNode,
  context: Context,
  services: Services,
  fences: Fences,
): Promise<Visit> {
  const namespace = node.metadata.namespace ?? '';
  const { keyRef, jump } = node.spec.ssh;
  const key = await context.read.load(SecretKind, namespace, keyRef.name);
  const jumpKey = jump && (await context.read.load(SecretKind, namespace, jump.keyRef.name));
  const login = loginOf(node, { key, jumpKey }, services.readPrivateKey);
  const host = services.hosts.at(login.target);
  const seen = await observe(host, context).catch((error: unknown) => {
    throw soonAgain(error, node, context);
  });
  const desiredId = node.status?.release?.desired;
  const about = { node, context, services, login, host, fences };
  const visit: Visit = { ...about, seen, membership: null, desiredId, claimed: false };
  await pinHostKey(visit);
  report(visit, seen);
  return visit;
}

/**
 * A former leader may have died, or been cut off, with a call under way that the host has yet to carry out. From the
 * first visit on, whatever there is to do, the host refuses it; and what was decided upon is seen after that.
 */
export async function takeOver(visit: Visit): Promise<void> {
  const { node, services, seen, fences } = visit;
  const { owner } = seen;
  const isOurs = owner?.installation === services.installation.id && owner.uid === node.metadata.uid;
  if (!isOurs || fences.has(node.metadata.uid)) return;
  await claim(visit);
  await lookAgain(visit);
}

/** Looks again and reports it; `over` another login, and then over a new connection. */
export async function lookAgain(visit: Visit, over?: Target): Promise<Observation> {
  const { host, context, services } = visit;
  const seen = over
    ? await observe(services.hosts.at(over), context, { newConnection: true })
    : await observe(host, context);
  visit.seen = seen;
  report(visit, seen);
  reportMesh(visit);
  return seen;
}

/** A subcommand that changes something; the first of a visit makes sure that the host knows whose it is. */
export async function act<S extends Acting>(
  visit: Visit,
  subcommand: S,
  request: Unfenced<S>,
  over?: Target,
): Promise<HostReply<S>> {
  const fencing = await claim(visit);
  const host = over ? visit.services.hosts.at(over) : visit.host;
  return call(host, subcommand, { ...request, ...fencing } as unknown as HostRequest<S>, visit.context);
}

/** The last of a host that nobody has claimed: nothing of Firn stays there. */
export async function depart({ host, context }: Visit): Promise<void> {
  await call(host, 'depart', {}, context);
}

async function claim(visit: Visit): Promise<Fencing> {
  const { node, context, services, seen } = visit;
  const fencing = { installation: services.installation.id, fence: await fence(visit) };
  const known = seen.owner?.installation === fencing.installation && seen.owner.fence === fencing.fence;
  if (!visit.claimed && !(known && seen.owner?.uid === node.metadata.uid)) {
    const owner = `${node.metadata.namespace}/${node.metadata.name}`;
    const adopt = node.metadata.annotations?.['firn.dev/adopt'] === 'true' ? 1 : 0;
    await call(visit.host, 'claim', { ...fencing, owner, uid: node.metadata.uid, adopt }, context);
  }
  visit.claimed = true;
  return fencing;
}

/** Written to status before it is used, guarded by the resourceVersion: two leaders cannot take the same number. */
async function fence(visit: Visit): Promise<number> {
  const { node, context, services, seen, fences } = visit;
  const taken = fences.get(node.metadata.uid);
  if (taken !== undefined) return taken;
  const { id } = services.installation;
  const onHost = seen.owner?.installation === id ? seen.owner.fence : undefined;
  const number = nextFence(node.status?.fence?.number, onHost);
  context.report({ fence: { installation: id, number } });
  await context.publishNow();
  fences.set(node.metadata.uid, number);
  return number;
}

async function pinHostKey({ node, context, host }: Visit): Promise<void> {
  const pinned = node.status?.ssh?.hostKeys ?? [];
  if (node.spec.ssh.hostKeyPolicy !== 'TrustOnFirstUse' || pinned.length > 0) return;
  if (host.hostKey === null)
    throw new ReconcileError('transient', 'HostKeyUnknown', 'the host showed no key');
  context.report({ ssh: { hostKeys: [host.hostKey] } });
  await context.publishNow();
  context.event('Normal', 'HostKeyPinned', `from now on only this host key is accepted: ${host.hostKey}`);
}

export function report({ node, context, desiredId, wanted, membership }: Visit, seen: Observation): void {
  const status = statusOf(node, seen, desiredId, context.clock.now());
  const index = membership?.place.index ?? status.index;
  context.report({ ...status, index, release: releaseOf(node, seen, desiredId, wanted) });
}

/** The mesh as the host sees it; undefined where there is none. */
export function meshSeen({ seen, membership }: Visit): NixNodeStatus['mesh'] {
  if (!membership?.mesh) return undefined;
  return meshStatusOf(seen, membership.mesh.object, membership.mesh.peers);
}

/** Ages move with every look. They are told when something else changed, or with `lastObserved`. */
export function reportMesh(visit: Visit): void {
  const { node, context } = visit;
  const former = node.status?.mesh;
  const mesh = meshSeen(visit);
  const isOld = isObservedAnew(node, context.clock.now());
  context.report({ mesh: mesh && former && !isOld && saysTheSame(former, mesh) ? former : mesh });
}

const observe = (host: Host, context: Context, options: { newConnection?: boolean } = {}) =>
  call(host, 'observe', {}, context, options);

async function call<S extends Subcommand>(
  host: Host,
  subcommand: S,
  request: HostRequest<S>,
  { signal }: Context,
  options: { newConnection?: boolean } = {},
): Promise<HostReply<S>> {
  const deadlineMs = subcommand === 'observe' ? observeMs : (actMs[subcommand] ?? actDefaultMs);
  try {
    return await host.call(subcommand, request, { signal, deadlineMs, ...options });
  } catch (error) {
    throw asReconcileError(error);
  }
}

/** A cluster changes the systems of its nodes, and keys that restart its servers, in turns. What that means for the next step on one of them. Pure. */
import type { NixCluster, NixNode } from '../../crds/index.ts';
import type { Observation, Parts } from '../lib/host/protocol.ts';
import { releaseId } from '../lib/nix/release.ts';
import type { Desired } from './desired.ts';
import { readRecord } from './manifest.ts';
import { nextStep, type Policy, type Release, type Step, waitForTurn } from './plan.ts';

export type Wanted = Pick<Desired, 'id' | 'parts' | 'record'>;

/** What must not be done yet, and why; nothing, where it may be. */
export type Gate = { readonly activate?: string; readonly restart?: string };

/** Never waits for a cluster that is not there, or is going: its nodes are on their own. */
export function gateOf(
  { metadata }: NixNode,
  cluster: NixCluster | undefined,
  { id, parts }: Wanted,
  seen: Pick<Observation, 'releases'>,
): Gate {
  if (!cluster || cluster.metadata.deletionTimestamp !== undefined) return {};
  const place = cluster.status?.nodes?.find(({ name }) => name === metadata.name);
  // What is granted is a system: data that changed meanwhile makes another release of it, and does not take it back.
  const covers = (granted: string | undefined): boolean =>
    granted === id || seen.releases.some((one) => one.id === granted && one.parts.system === parts.system);
  const because = place?.rollout?.message ?? 'it has yet to give the node its turn';
  const says = `waits for the roll-out of cluster ${cluster.metadata.name}: ${because}`;
  return {
    ...(!covers(place?.granted) && { activate: `release ${id} ${says}` }),
    ...(!covers(place?.restart) && { restart: `the restart into release ${id} ${says}` }),
  };
}

/**
 * Keys and authorities that etcd and the API server read once, at their start. Hosts take up files when they come; these on
 * all control-plane nodes at the same moment would be an outage. A host that has none yet serves nobody.
 */
const readAtStart = ['etcd-trust', 'service-account', 'encryption'] as const;

export function restartsServers({ record }: Wanted, seen: Pick<Observation, 'manifestB64'>): boolean {
  const had = readRecord(seen.manifestB64).origins ?? {};
  const wants = record.origins ?? {};
  return readAtStart.some((name) => had[name] !== undefined && had[name] !== wants[name]);
}

/** The next step, and the release that it is about: while a system waits for its turn, all else of it does not. */
export function nextInTurn(
  seen: Observation,
  aim: Release,
  wanted: Wanted,
  policy: Policy,
  gate: Gate,
): { aim: Release; step: Step } {
  const direct = nextStep(seen, aim, policy);
  const runs = seen.releases.find(({ id }) => id === seen.confirmed)?.parts;
  // A system that takes the place of one that was taken back is no change of the cluster.
  const isNewSystem = aim.parts.system === wanted.parts.system && aim.parts.system !== runs?.system;
  const isNewKey = aim.parts.secrets === wanted.parts.secrets && restartsServers(wanted, seen);
  if (!isNewSystem && !isNewKey) return { aim, step: direct };
  if (direct.do === 'reboot' && gate.restart) return { aim, step: waitForTurn(gate.restart) };
  if (!gate.activate) return { aim, step: direct };
  const before = runs && withoutSystem(seen, runs, aim, wanted);
  if (before) {
    const step = nextStep(seen, before, policy);
    if (step.do !== 'nothing') return { aim: before, step };
  }
  const acts = direct.do === 'activate' || direct.do === 'reboot';
  return { aim, step: acts ? waitForTurn(gate.activate) : direct };
}

/**
 * The release of what needs no turn; undefined where the host cannot make one. Files that the system that runs does not
 * know (new ones, or of other users) would fail under it, and be remembered as bad: they come with their system.
 */
function withoutSystem(
  seen: Observation,
  runs: Parts,
  { parts }: Release,
  wanted: Wanted,
): Release | undefined {
  const { stored, manifestB64 } = seen;
  const layout = readRecord(manifestB64).layout;
  const isKnown = layout !== undefined && layout === wanted.record.layout;
  const secrets = isKnown && !restartsServers(wanted, seen) ? parts.secrets : runs.secrets;
  const before = { system: runs.system, data: parts.data, secrets };
  const has =
    stored.system.includes(runs.system) && (secrets === parts.secrets || stored.secrets.includes(secrets));
  return has ? { id: releaseId(before), parts: before } : undefined;
}

/** The gravest part in which what is wanted differs from what runs. */
export function classOf(wanted: Parts, runs: Parts | undefined): keyof Parts | undefined {
  return (['system', 'data', 'secrets'] as const).find((part) => wanted[part] !== runs?.[part]);
}

/**
 * Whether the switch would stop pods. They go on while components restart, whatever their configuration is; but not under
 * a kubelet of another minor version, another runtime, or another network. Where the host does not say what its pods
 * rest on, they are taken to stop.
 */
export function stopsPods(wanted: Wanted, seen: Pick<Observation, 'manifestB64'>): boolean {
  return readRecord(seen.manifestB64).podsRestOn !== wanted.record.podsRestOn;
}

/** Brings a host from what it says to what is desired, one short step after the other; long work goes on without us. */
import { createHash } from 'node:crypto';
import { NixCluster, parseDuration } from '../../crds/index.ts';
import { ReconcileError } from '../lib/core/outcome.ts';
import type { PartName } from '../lib/host/protocol.ts';
import { formats, releaseId } from '../lib/nix/release.ts';
import { packParts } from '../lib/nix/tar.ts';
import { withAdvice } from './advice.ts';
import { type BadPart, compose } from './compose.ts';
import { confirmTrial } from './confirm.ts';
import type { Desired } from './desired.ts';
import { gateOf, nextInTurn } from './gate.ts';
import { clockProblem, recheckMs as clockRecheckMs } from './health.ts';
import { type ReleaseRecord, readRecord } from './manifest.ts';
import type { Release, Step } from './plan.ts';
import { act, lookAgain, type Visit } from './visit.ts';
import { heedAnnotations } from './wishes.ts';

/** More than a release ever takes in one go; a host that keeps changing its mind does not hold a worker. */
const stepsInOneGo = 12;
/** How long switch-to-configuration may take before the host takes the release back. */
const activateSeconds = 300;

/** Returns when the desired release runs, confirmed. Throws `ReconcileError` for everything else. */
export async function deploy(visit: Visit, desired: Desired): Promise<void> {
  await heedAnnotations(visit);
  for (let count = 0; count < stepsInOneGo; count++) {
    const { parts, held } = compose(desired.parts, visit.seen, visit.node.status?.release?.previous);
    const last = parts && { id: releaseId(parts), parts };
    if (last && isBuilt(visit, last)) await visit.context.step('Built', () => {});
    const next = last && inTurn(visit, last, desired);
    if (!next || next.step.do === 'nothing') return settled(visit, held, desired);
    const { step, aim } = next;
    await visit.context.step(stageOf(step), () => perform(visit, step, aim, desired));
    await lookAgain(visit);
  }
  throw new ReconcileError('transient', 'TooManySteps', 'the host does not settle; it is visited again');
}

/** The grant is read anew for each step: it may come, or the cluster may go, while others are done. */
function inTurn({ seen, node, context }: Visit, last: Release, desired: Desired) {
  const { namespace = '' } = node.metadata;
  const cluster = node.spec.clusterRef && context.read.get(NixCluster, namespace, node.spec.clusterRef.name);
  return nextInTurn(seen, last, desired, node.spec.deploy, gateOf(node, cluster, desired, seen));
}

const isBuilt = ({ seen }: Visit, aim: Release): boolean =>
  seen.releases.some((release) => release.id === aim.id && release.system !== null);

/** Nothing is left to do. Whether that is what was asked for depends on what had to be held back. */
async function settled({ context, seen }: Visit, held: readonly BadPart[], desired: Desired): Promise<void> {
  const failedToBuild = held.find((bad) => buildReasons.has(bad.reason));
  const runs = seen.confirmed ? `release ${seen.confirmed} runs` : 'what was there before Firn runs';
  const now = `Meanwhile ${runs}. This is not tried again until it changes, or the annotation firn.dev/resume gets a new value.`;
  await context.step('Built', () => failedToBuild && refuse(failedToBuild, [...desired.hints(), now]));
  await context.step('Applied', () => held[0] && refuse(held[0], [now]));
}

const buildReasons = new Set(['BuildFailed', 'EvaluationFailed']);

function refuse(bad: BadPart, more: readonly string[]): never {
  const message = [withAdvice(bad.reason, bad.messageB64), ...more].join('\n');
  throw new ReconcileError('terminal', bad.reason, message);
}

const stageOf = (step: Exclude<Step, { do: 'nothing' }>): 'Built' | 'Applied' => {
  if (step.do === 'wait') return step.stage;
  return step.do === 'stage' || step.do === 'build' ? 'Built' : 'Applied';
};

async function perform(
  visit: Visit,
  step: Exclude<Step, { do: 'nothing' }>,
  aim: Release,
  desired: Desired,
): Promise<void> {
  const { deploy: policy } = visit.node.spec;
  const confirmSeconds = Math.round(parseDuration(policy.confirmWithin) / 1000);
  const allow = policy.allow.join(',');
  if (step.do !== 'wait') assertClock(visit);
  switch (step.do) {
    case 'wait':
      throw new ReconcileError(step.for === 'host' ? 'progressing' : 'waiting', step.reason, step.message, {
        recheckMs: step.recheckMs,
      });
    case 'stage':
      return stage(visit, aim, desired, step.missing);
    case 'build':
      await act(visit, 'build', { id: aim.id });
      return;
    case 'activate': {
      const request = { id: aim.id, attempt: step.attempt, confirmSeconds, activateSeconds, allow };
      await act(visit, 'activate', request);
      return;
    }
    case 'reboot':
      await act(visit, 'reboot', { id: aim.id, attempt: step.attempt, confirmSeconds, allow });
      visit.context.event('Normal', 'Rebooting', `the host restarts into release ${aim.id}`);
      return;
    case 'confirm':
      return confirmTrial(visit, step);
    case 'reject':
      await act(visit, 'reject', {
        part: step.part,
        hash: step.hash,
        reason: step.reason,
        message: step.message,
      });
      return;
  }
}

async function stage(
  visit: Visit,
  aim: Release,
  desired: Desired,
  missing: readonly PartName[],
): Promise<void> {
  const lost = missing.filter((part) => aim.parts[part] !== desired.parts[part]);
  if (lost.length > 0) {
    const message = `the host lost the ${lost.join(' and ')} of the last good release, which cannot be rendered again; correct what was taken back (status.bad), and the next release takes its place`;
    throw new ReconcileError('terminal', 'LastGoodLost', message);
  }
  const trees = await Promise.all(
    missing.map(async (part) => [part, await (part === 'secrets' ? desired.secrets() : desired.tree(part))]),
  );
  const payload = await packParts(Object.fromEntries(trees));
  await act(visit, 'stage', {
    id: aim.id,
    ...aim.parts,
    dataFormat: formats.data,
    secretsFormat: formats.secrets,
    manifest: manifestOf(visit, aim, desired),
    payloadSha256: createHash('sha256').update(payload).digest('hex'),
    payloadBytes: payload.byteLength,
    payload,
  });
}

/** What is said of a part that was held back is what the host has of it: its own record of the release that runs. */
function manifestOf({ node, services, context, seen }: Visit, aim: Release, desired: Desired): string {
  const { namespace, name, uid } = node.metadata;
  const runs = seen.releases.find(({ id }) => id === seen.current)?.parts;
  const had = readRecord(seen.manifestB64);
  const of = (part: PartName): ReleaseRecord => {
    if (aim.parts[part] === desired.parts[part]) return desired.record;
    return aim.parts[part] === runs?.[part] ? had : {};
  };
  const { cluster, nixpkgs, kubernetes, podsRestOn } = of('system');
  const { leaves, origins, layout } = of('secrets');
  const { frontends } = of('data');
  const record: ReleaseRecord = {
    cluster,
    nixpkgs,
    kubernetes,
    podsRestOn,
    leaves,
    origins,
    layout,
    frontends,
  };
  const renderedAt = new Date(context.clock.now()).toISOString();
  return JSON.stringify({
    ...aim,
    node: { namespace, name, uid },
    renderedBy: services.version,
    renderedAt,
    ...record,
  });
}

function assertClock({ seen, context }: Visit): void {
  const problem = clockProblem(seen, context.clock.now());
  if (problem) throw new ReconcileError('waiting', 'ClockSkewed', problem, { recheckMs: clockRecheckMs });
}

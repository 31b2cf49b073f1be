/** Puts the manifests into the cluster, stage by stage, and keeps what the cluster says of each. */
import { maxObjects } from '../../crds/index.ts';
import { clip } from '../lib/core/clip.ts';
import { ReconcileError } from '../lib/core/outcome.ts';
import { several } from '../lib/core/several.ts';
import type { ServedKind, ServedKinds } from '../lib/kube/served-kinds.ts';
import { healthOf } from './health.ts';
import { entryOf, fieldManagerOf, markedBody, together, without } from './inventory.ts';
import { invalid, type Manifest, sayObject } from './manifests.ts';
import { inStages, isCrd } from './order.ts';
import { type Problem, problemOf, throwProblems } from './problems.ts';
import { fieldsIn, type Health, inProgress } from './seen.ts';
import type { Visit } from './visit.ts';

export type Result = { manifest: Manifest; health: Health };

/** Until a CRD is served; it takes the API server a fraction of a second. */
const crdMs = 1_000;

/** How far it came, and the kinds that it is about, as far as they are known. */
export type Progress = { results: Result[]; kinds: Set<ServedKind> };

/** `progress` is filled as far as it comes, also where this throws. */
export async function applyAll(visit: Visit, { results, kinds: used }: Progress): Promise<void> {
  await checkKnown(visit, used);
  await remember(visit);
  const kinds = new Kinds(visit);
  const { manifests } = visit.memory;
  for (const stage of inStages(manifests)) {
    const problems: Problem[] = [];
    for (const manifest of stage) {
      const kind = await kinds.of(manifest);
      if (kind) used.add(kind);
      const done =
        kind === undefined ? unknownKind(manifest, manifests) : await applyOne(visit, manifest, kind);
      if ('health' in done) results.push(done);
      else problems.push(done);
    }
    if (problems.length > 0) throwProblems(problems);
    if (stage.some(isCrd)) awaitCrds(results);
  }
}

/** What can be seen to be wrong is refused before anything is applied. */
async function checkKnown({ there, context, memory }: Visit, used: Set<ServedKind>): Promise<void> {
  const kinds = await there.kinds('known', context.signal);
  for (const manifest of memory.manifests) {
    const kind = kinds.find(manifest.group, manifest.version, manifest.kind);
    if (!kind) continue;
    checkNamespace(manifest, kind);
    used.add(kind);
  }
}

/** Before anything is applied it is written down: what is applied and then forgotten would never be looked after. */
async function remember(visit: Visit): Promise<void> {
  const { context, memory, inventory } = visit;
  const wanted = memory.manifests.map(entryOf);
  if (without(wanted, inventory).length === 0) return;
  const all = together(inventory, wanted);
  if (all.length > 2 * maxObjects) {
    const message = `what left the manifests is not gone from the cluster yet, and there are more than ${2 * maxObjects} objects with it; wait for that, or put them back`;
    throw new ReconcileError('waiting', 'InventoryFull', message);
  }
  visit.inventory = all;
  context.report({ inventory: all });
  await context.publishNow();
}

/** Discovery, asked anew once a visit where a kind is not known. */
class Kinds {
  readonly #visit: Visit;
  #known: ServedKinds | undefined;
  #asked = false;

  constructor(visit: Visit) {
    this.#visit = visit;
  }

  async of({ group, version, kind }: Manifest): Promise<ServedKind | undefined> {
    const { there, context } = this.#visit;
    this.#known ??= await there.kinds('known', context.signal);
    const found = this.#known.find(group, version, kind);
    if (found || this.#asked) return found;
    this.#asked = true;
    this.#known = await there.kinds('fresh', context.signal);
    return this.#known.find(group, version, kind);
  }
}

function unknownKind(manifest: Manifest, all: readonly Manifest[]): Problem {
  const { where, group, version, kind } = manifest;
  const crd = all.some(({ body, ...one }) => {
    const spec = (body.spec ?? {}) as { group?: unknown; names?: { kind?: unknown } | null };
    return isCrd(one) && spec.group === group && spec.names?.kind === kind;
  });
  // Established, and not in discovery yet.
  if (crd) throw notServedYet(`${kind}.${group}`);
  const written = group === '' ? version : `${group}/${version}`;
  return {
    reason: 'KindUnknown',
    verdict: 'waiting',
    message: `${where}: ${sayObject(manifest)}: the cluster does not know ${kind} of ${written}; apply what defines it`,
  };
}

const notServedYet = (what: string) =>
  new ReconcileError('progressing', 'CrdsNotEstablished', `waits for the cluster to serve ${what}`, {
    recheckMs: crdMs,
  });

async function applyOne(visit: Visit, manifest: Manifest, kind: ServedKind): Promise<Result | Problem> {
  const { addon, context, there, memory } = visit;
  checkNamespace(manifest, kind);
  const { namespace, name } = manifest;
  const known = memory.applied.get(manifest);
  if (known && there.versionOf(kind, manifest) === known.version) return { manifest, health: known.health };
  const body = markedBody(manifest, addon);
  const fieldManager = fieldManagerOf(addon);
  const put = (force: boolean) =>
    there.apply(
      kind,
      body,
      { ...(namespace === undefined ? {} : { namespace }), name },
      { fieldManager, force },
      context.signal,
    );
  const first = await put(false);
  if (first.outcome === 'applied') return resultOf(visit, manifest, first.object);
  const problem = problemOf(first, { manifest, addon, read: context.read });
  if (first.outcome !== 'conflict' || problem.reason !== 'FieldConflict' || addon.spec.conflicts === 'Report')
    return problem;
  const second = await put(true);
  if (second.outcome !== 'applied') return problemOf(second, { manifest, addon, read: context.read });
  const taken = several(first.conflicts.map(({ field, manager }) => `${field} from ${manager}`));
  context.event('Normal', 'FieldsTaken', clip(`${sayObject(manifest)}: took ${taken}`, 900));
  return resultOf(visit, manifest, second.object);
}

function resultOf({ memory }: Visit, manifest: Manifest, object: unknown): Result {
  const health = healthOf({ ...manifest, object });
  const { resourceVersion } = fieldsIn(object, 'metadata');
  if (typeof resourceVersion === 'string') memory.applied.set(manifest, { version: resourceVersion, health });
  return { manifest, health };
}

function checkNamespace(manifest: Manifest, kind: ServedKind): void {
  const { where, namespace } = manifest;
  if (kind.namespaced && namespace === undefined)
    throw invalid(where, `has ${sayObject(manifest)} without metadata.namespace: say where it belongs`);
  if (!kind.namespaced && namespace !== undefined)
    throw invalid(
      where,
      `has ${sayObject(manifest)}, whose kind has no namespaces: leave metadata.namespace out`,
    );
}

function awaitCrds(results: readonly Result[]): void {
  const crds = results.filter(({ manifest }) => isCrd(manifest));
  const broken = crds.find(({ health }) => health.state === 'Failed');
  if (broken) {
    const message = `${broken.manifest.where}: ${sayObject(broken.manifest)}: ${clip(broken.health.message, 500)}`;
    throw new ReconcileError('waiting', 'CrdNotAccepted', message, { recheckMs: 30_000 });
  }
  const waiting = crds.filter(({ health }) => health.state !== 'Current');
  if (waiting.length > 0) throw notServedYet(several(waiting.map(({ manifest }) => manifest.name)));
}

/** What was not reached is on its way. */
export const withRest = (manifests: readonly Manifest[], results: readonly Result[]): Result[] => {
  const reached = new Set(results.map(({ manifest }) => manifest));
  const rest = manifests.filter((manifest) => !reached.has(manifest));
  return [...results, ...rest.map((manifest) => ({ manifest, health: inProgress('it is not applied yet') }))];
};

/** Takes away what is not wanted any more, and only what this addon applied. */
import type { AppliedObject } from '../../crds/index.ts';
import { clip } from '../lib/core/clip.ts';
import { ReconcileError } from '../lib/core/outcome.ts';
import { several } from '../lib/core/several.ts';
import type { ServedKinds } from '../lib/kube/served-kinds.ts';
import { isOurs } from './inventory.ts';
import { sayObject } from './manifests.ts';
import { inStages } from './order.ts';
import type { Visit } from './visit.ts';

type Ground = Pick<Visit, 'addon' | 'context' | 'there'>;
type Gone = { gone: true } | { gone: false; waitsFor: string };

const goneMs = 2_000;

/**
 * In the other order than it was applied in, stage by stage: what is served by a CRD goes before the CRD. Throws
 * `progressing` while anything is still there.
 */
export async function takeAway(ground: Ground, objects: readonly AppliedObject[]): Promise<void> {
  const kinds = await servedNow(ground, objects);
  for (const stage of inStages(objects).reverse()) {
    const left: string[] = [];
    for (const object of stage) {
      const state = await takeOne(ground, object, kinds);
      if (!state.gone) left.push(`${sayObject(object)}${state.waitsFor}`);
    }
    if (left.length > 0) {
      const message = `still being deleted: ${several(left)}`;
      throw new ReconcileError('progressing', 'ObjectsGoing', clip(message, 4000), { recheckMs: goneMs });
    }
  }
}

/** Before a kind counts as gone the cluster is asked anew: what is known may be of the moment when it came up. */
async function servedNow(
  { context: { signal }, there }: Ground,
  objects: readonly AppliedObject[],
): Promise<ServedKinds> {
  const known = await there.kinds('known', signal);
  const all = objects.every(({ group, kind }) => known.findAny(group, kind));
  return all ? known : there.kinds('fresh', signal);
}

async function takeOne(
  { addon, context, there }: Ground,
  object: AppliedObject,
  kinds: ServedKinds,
): Promise<Gone> {
  const { group, version, kind: name } = object;
  const kind = kinds.find(group, version, name) ?? kinds.findAny(group, name);
  // What is served no longer is there no longer.
  if (!kind) return { gone: true };
  const found = await there.look(kind, object, context.signal);
  if (!found) return { gone: true };
  if (!isOurs(found, addon)) {
    context.event(
      'Normal',
      'ObjectLeft',
      `${sayObject(object)} is left: it is not as this addon has applied it`,
    );
    return { gone: true };
  }
  if (found.deletionTimestamp === undefined) {
    await there.remove(kind, { ...object, uid: found.uid }, context.signal);
    context.event('Normal', 'ObjectDeleted', `deleted ${sayObject(object)}`);
  }
  const after = await there.look(kind, object, context.signal);
  if (!after || after.uid !== found.uid) return { gone: true };
  const finalizers = after.finalizers ?? [];
  return { gone: false, waitsFor: finalizers.length === 0 ? '' : ` (waits for ${several(finalizers)})` };
}

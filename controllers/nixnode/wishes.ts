/** What a person asks for by annotations: to try again what was taken back, or to take back what runs. */
import type { Parts } from '../lib/host/protocol.ts';
import { act, lookAgain, type Visit } from './visit.ts';

/** Each is acted upon once for each new value. */
export async function heedAnnotations(visit: Visit): Promise<void> {
  const { node, context, seen } = visit;
  const { 'firn.dev/resume': resume, 'firn.dev/rollback': rollback } = node.metadata.annotations ?? {};
  if (resume !== undefined && resume !== node.status?.resumed) {
    await act(visit, 'resume', {});
    context.report({ resumed: resume });
    await lookAgain(visit);
  }
  if (rollback !== undefined && rollback !== node.status?.rejected) {
    const release = seen.releases.find((one) => one.id === rollback);
    if (release) await rejectRelease(visit, release.id, release.parts);
    context.report({ rejected: rollback });
  }
  // Without the annotation a release that came back can be rolled back again.
  if (rollback === undefined) context.report({ rejected: undefined });
}

/** What is taken back is the parts in which a release differs from the one before it. */
async function rejectRelease(visit: Visit, id: string, parts: Parts): Promise<void> {
  const former = visit.seen.releases.find((one) => one.id === visit.node.status?.release?.previous)?.parts;
  const message = `release ${id} was rolled back by a user`;
  for (const part of ['system', 'data', 'secrets'] as const) {
    if (former?.[part] === parts[part]) continue;
    await act(visit, 'reject', { part, hash: parts[part], reason: 'RejectedByUser', message });
  }
  await lookAgain(visit);
}

/** What an answer of the cluster means, in words that a user can act on. Pure. */
import { ClusterAddon } from '../../crds/index.ts';
import { clip } from '../lib/core/clip.ts';
import { ReconcileError } from '../lib/core/outcome.ts';
import { several } from '../lib/core/several.ts';
import type { FieldConflict, Taken } from '../lib/kube/any-objects.ts';
import type { CacheReader } from '../lib/runtime/controller.ts';
import { addonOfManager } from './inventory.ts';
import { type Manifest, sayObject } from './manifests.ts';

type Reason = 'KindUnknown' | 'ObjectRefused' | 'FieldConflict' | 'ObjectShared';
export type Problem = { reason: Reason; verdict: 'waiting' | 'transient'; message: string };

type About = { manifest: Manifest; addon: ClusterAddon; read: CacheReader };

export function problemOf(taken: Exclude<Taken, { outcome: 'applied' }>, about: About): Problem {
  return taken.outcome === 'conflict'
    ? conflictProblem(taken.conflicts, about)
    : refusal(taken, about.manifest);
}

function conflictProblem(conflicts: readonly FieldConflict[], { manifest, addon, read }: About): Problem {
  const what = `${manifest.where}: ${sayObject(manifest)}`;
  const others = conflicts.flatMap(({ manager }) => {
    const name = addonOfManager(manager);
    // What is left of one that is gone is nobody's.
    const there = name !== undefined && read.get(ClusterAddon, addon.metadata.namespace ?? '', name);
    return there && name !== addon.metadata.name ? [name] : [];
  });
  const [other] = others;
  if (other !== undefined) {
    const message = `${what}: ClusterAddon ${other} has it in its manifests too; take it out of one of them`;
    return { reason: 'ObjectShared', verdict: 'waiting', message };
  }
  const fields = several(conflicts.map(({ field, manager }) => clip(`${field} (${manager})`, 300)));
  const message = `${what}: others keep ${fields}; take these out of the manifest, or set conflicts: Force`;
  return { reason: 'FieldConflict', verdict: 'waiting', message };
}

const isSecret = ({ group, kind }: Manifest): boolean => group === '' && kind === 'Secret';

function refusal(
  { status, summary, words }: Extract<Taken, { outcome: 'refused' }>,
  manifest: Manifest,
): Problem {
  // A server quotes what it refuses.
  const said = isSecret(manifest) ? summary : words.open() || summary;
  const message = `${manifest.where}: ${sayObject(manifest)}: ${status} ${clip(said, 600)}`;
  return {
    reason: 'ObjectRefused',
    verdict: status >= 500 || status === 429 ? 'transient' : 'waiting',
    message,
  };
}

/** What somebody changes in the cluster is not told to us: so often it is tried again. */
const recheckMs = 60_000;

/** All of one stage; the reason is that of the first. */
export function throwProblems(problems: readonly Problem[]): never {
  const [first] = problems;
  const message = several(
    problems.map((problem) => problem.message),
    '; ',
  );
  const { reason, verdict } = first!;
  throw new ReconcileError(verdict, reason, message, verdict === 'waiting' ? { recheckMs } : {});
}

/** What the status says of the objects of an addon. Pure. */
import type { ClusterAddonStatus } from '../../crds/index.ts';
import { clip } from '../lib/core/clip.ts';
import { ReconcileError } from '../lib/core/outcome.ts';
import { several } from '../lib/core/several.ts';
import type { Result } from './apply.ts';
import { sayObject } from './manifests.ts';
import type { State } from './seen.ts';

const shown = 10;
const gravity: readonly State[] = ['Failed', 'Terminating', 'InProgress'];

export function healthFields(
  results: readonly Result[],
): Required<Pick<ClusterAddonStatus, 'objects' | 'health' | 'troubled'>> {
  const count = (state: State) => results.filter(({ health }) => health.state === state).length;
  const current = count('Current');
  return {
    objects: `${current}/${results.length}`,
    health: {
      current,
      inProgress: count('InProgress'),
      failed: count('Failed'),
      terminating: count('Terminating'),
    },
    troubled: worst(results)
      .slice(0, shown)
      .map(({ manifest, health }) => ({
        object: clip(sayObject(manifest), 512),
        state: health.state as Exclude<State, 'Current'>,
        message: clip(health.message, 1000),
      })),
  };
}

/** In the order of gravity, and within that as they were applied: what fails first is often why the rest does. */
const worst = (results: readonly Result[]): Result[] =>
  gravity.flatMap((state) => results.filter(({ health }) => health.state === state));

/** While pods start, every few seconds shows something new. */
const inProgressMs = 5_000;
const failedMs = 30_000;
/** Where the cluster tells of changes by itself, this is the net below. */
const followedMs = 300_000;

/** Throws unless all are as they should be. `followed`: changes wake the addon. */
export function checkHealth(results: readonly Result[], followed: boolean): void {
  const troubled = worst(results);
  const [first] = troubled;
  if (!first) return;
  const words = troubled.map(
    ({ manifest, health }) => `${sayObject(manifest)}: ${clip(health.message, 300)}`,
  );
  const message = several(words, '; ');
  if (first.health.state === 'Failed')
    throw new ReconcileError('waiting', 'ObjectsFailed', message, {
      recheckMs: followed ? followedMs : failedMs,
    });
  throw new ReconcileError('progressing', 'ObjectsInProgress', message, {
    recheckMs: followed ? followedMs : inProgressMs,
  });
}

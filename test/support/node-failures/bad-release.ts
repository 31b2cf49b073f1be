/** A release that does not get through, and what is left. */
import type { TrialReason } from '../../../controllers/lib/host/protocol.ts';
import type { Tree } from '../../../controllers/lib/nix/tree.ts';
import type { NixNode } from '../../../crds/index.ts';
import { newCanary } from '../canary.ts';
import { namespace } from '../fleet.ts';
import type { Fault } from '../ssh-server/faults.ts';
import { waitFor } from '../wait.ts';
import { change, type Stage } from './play.ts';

export const bad = { modules: [{ inline: '{ } # bad' }] };
export const isBad = (bundle: Tree): boolean =>
  [...bundle.values()].some((text) => String(text).includes('# bad'));
export const deployBad = (stage: Stage) => change(stage, bad);
export const deployGood = (stage: Stage) => change(stage, { modules: [{ inline: '{ } # good' }] });

/** What is confirmed runs, and the message says so and how to try again. */
export function lastGoodRuns({ host }: Stage, node: NixNode): void {
  const { current, confirmed } = node.status?.release ?? {};
  expect(confirmed).toBeDefined();
  expect(current).toBe(confirmed);
  expect(host.state.current).toBe(confirmed);
}
export const again = /not tried again until it changes, or the annotation firn\.dev\/resume gets a new value/;

export const built = { condition: 'Built', kind: 'Stalled' } as const;
export const applied = { condition: 'Applied', kind: 'Stalled' } as const;
export const held = { after: deployBad, besides: lastGoodRuns, repair: deployGood };

export const fails = (reason: TrialReason, message: string, units: string[] = []) => ({
  script: { faults: [{ kind: 'activationFails', reason, message, units, when: isBad } satisfies Fault] },
});

/** A file of the node's own, with a new content each time. */
export const secretOf = (name: string): object => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: `of-${name}`, namespace },
  stringData: { a: newCanary() },
});

export const eventually = (holds: () => boolean) => waitFor('the scene', holds, { withinMs: 20_000 });

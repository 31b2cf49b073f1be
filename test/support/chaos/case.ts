/** A row at work: a scripted host to which it happens, and the NixNode that goes through it. */
import { type Clock, systemClock } from '../../../controllers/lib/core/clock.ts';
import type { Tree } from '../../../controllers/lib/nix/tree.ts';
import { nodeManifest } from '../fleet.ts';
import type { ScriptedHost } from '../ssh-server/scripted-hosts.ts';
import type { Row } from './rows.ts';

export type Case = Row & {
  node: string;
  host: ScriptedHost;
  clock: SkippingClock;
  /** When the call began to stand still, in milliseconds; null until then. */
  heldAt: number | null;
};

/** The host's own time, which a test can move: a boot takes a real machine minutes. */
export class SkippingClock implements Clock {
  #skipped = 0;
  now(): number {
    return systemClock.now() + this.#skipped;
  }
  after(ms: number, callback: () => void): () => void {
    return systemClock.after(ms, callback);
  }
  skip(ms: number): void {
    this.#skipped += ms;
  }
}

const words = (version: number) => `# version ${version}`;

export const isVersion =
  (version: number) =>
  (bundle: Tree): boolean =>
    [...bundle.values()].some((text) => text.toString().includes(words(version)));

export const manifestOf = ({ node, host, what }: Case, version: number): object =>
  nodeManifest(node, host, {
    modules: [{ inline: `{ } ${words(version)}` }],
    deploy: { reboot: 'WhenRequired', ...(what === 'operator gone' && { confirmWithin: '10s' }) },
  });

const bootMs = 120_000;

/** Lays the trap. `hold` is what calls wait for that stand still while their operator is killed. */
export function arm(one: Case, hold: Promise<void>): void {
  const { host, step, at, what, clock } = one;
  const { subcommand, only } = step;
  const scope = { subcommand, times: 1, ...(only && { only }) };
  if (subcommand === 'reboot') host.faults.add({ kind: 'needsReboot', when: isVersion(2) });
  if (what === 'SSH cut') {
    host.faults.add({ kind: 'cut', at, ...scope });
  } else if (what === 'power cut') {
    const powerCut = () => {
      clock.skip(bootMs);
      host.reboot();
    };
    host.faults.add({ kind: 'meanwhile', at, do: powerCut, ...scope });
  } else {
    host.faults.add({ kind: 'meanwhile', at, do: () => holdBack(one, hold), ...scope });
  }
}

/** An operator that has its answer would go on: its next call is the one that has to wait. */
function holdBack(one: Case, hold: Promise<void>): Promise<void> | undefined {
  const stop = (): Promise<void> => {
    one.heldAt ??= Date.now();
    return hold;
  };
  if (one.at !== 'replied') return stop();
  const remove = one.host.faults.add({ kind: 'meanwhile', at: 'script', do: stop });
  void hold.then(remove);
  return undefined;
}

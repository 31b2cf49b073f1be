/** Every step of a release, every moment of it, and everything that can happen there. */
import type { Subcommand } from '../../../controllers/lib/host/protocol.ts';
import type { FaultPoint } from '../ssh-server/faults.ts';
import type { HostState } from '../ssh-server/state.ts';

export type Step = {
  name: string;
  subcommand: Subcommand;
  /** Where it is made: in the first release of a host, or in its second, which has a good one to lose. */
  release: 'first' | 'second';
  only?: (state: HostState) => boolean;
  /** Moments that only this step has. */
  also?: FaultPoint[];
};

/** `reboot` is of a release that cannot be entered live. */
export const steps: readonly Step[] = [
  { name: 'first look', subcommand: 'observe', release: 'first', also: ['program'] },
  { name: 'claim', subcommand: 'claim', release: 'first' },
  { name: 'resolve', subcommand: 'resolve', release: 'first' },
  { name: 'stage', subcommand: 'stage', release: 'second', also: ['payload'] },
  { name: 'build', subcommand: 'build', release: 'second' },
  { name: 'activate', subcommand: 'activate', release: 'second' },
  {
    name: 'look at what awaits confirmation',
    subcommand: 'observe',
    release: 'second',
    only: ({ trial }) => trial?.state === 'AwaitingConfirmation',
  },
  { name: 'confirm', subcommand: 'confirm', release: 'second' },
  { name: 'prune', subcommand: 'prune', release: 'second' },
  { name: 'reboot', subcommand: 'reboot', release: 'second' },
];

const moments: readonly FaultPoint[] = ['script', 'beforeEffect', 'afterEffect', 'reply', 'replied'];

export type Row = {
  what: 'SSH cut' | 'power cut' | 'operator killed' | 'operator killed, its call late' | 'operator gone';
  step: Step;
  at: FaultPoint;
};

const looks = new Set<Subcommand>(['observe']);

/** Titles of tests are made of a row's words. */
export const rows: readonly Row[] = [
  ...(['SSH cut', 'power cut', 'operator killed'] as const).flatMap((what) =>
    steps.flatMap((step) => [...moments, ...(step.also ?? [])].map((at) => ({ what, step, at }))),
  ),
  // The program on the host has begun when its operator dies, and comes to its effect when the next one has been there.
  ...steps
    .filter(({ subcommand }) => !looks.has(subcommand))
    .map((step): Row => ({ what: 'operator killed, its call late', step, at: 'beforeEffect' })),
  ...steps
    .filter(({ name }) => /^activate|^look/.test(name))
    .map((step): Row => ({ what: 'operator gone', step, at: 'afterEffect' })),
];

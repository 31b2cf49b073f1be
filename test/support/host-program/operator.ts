import { createHash, randomBytes } from 'node:crypto';
import { Sealed } from '../../../controllers/lib/core/sealed.ts';
import type { Observation, Parts, TrialState } from '../../../controllers/lib/host/protocol.ts';
import {
  formats,
  releaseId,
  type SecretFile,
  secretsPartHash,
  secretsTree,
} from '../../../controllers/lib/nix/release.ts';
import { packParts } from '../../../controllers/lib/nix/tar.ts';
import { hashTree, type Tree } from '../../../controllers/lib/nix/tree.ts';
import type { Driver } from './driver.ts';
import { type HandmadeSystem, handmadeBundle } from './handmade.ts';

export type Wish = {
  system: HandmadeSystem | Tree;
  data?: Tree;
  files?: readonly SecretFile[];
  /** Contents of the files among them that are made for this release, by path. */
  made?: ReadonlyMap<string, Sealed<Uint8Array>>;
  /** What `observe` gives back; JSON text. */
  manifest?: string;
};

export type Deadlines = { confirmSeconds?: number; activateSeconds?: number; attempt?: number };

/** What an operator does on a host, step by step, without any of its judgement. */
export type Operator = ReturnType<typeof operate>;

export function operate(
  driver: Pick<Driver, 'call'>,
  options: { installation?: string; fence?: number } = {},
) {
  const installation = options.installation ?? '0123456789abcdef0123456789abcdef';
  const fencing = { installation, fence: options.fence ?? 1 };
  const key = new Sealed(new Uint8Array(randomBytes(32)));
  const observe = (): Promise<Observation> => driver.call('observe', {});

  async function until(what: string, holds: (seen: Observation) => boolean, timeoutMs = 60_000) {
    const end = Date.now() + timeoutMs;
    for (;;) {
      const seen = await observe();
      if (holds(seen)) return seen;
      if (Date.now() > end) throw new Error(`not ${what} in time: ${JSON.stringify(seen, null, 1)}`);
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
  }

  async function stage(wish: Wish): Promise<string> {
    const { system, data = new Map(), files = [], made, manifest = '{}' } = wish;
    const trees = {
      system: system instanceof Map ? (system as Tree) : handmadeBundle(system as HandmadeSystem),
      data,
      secrets: secretsTree(files, made),
    };
    const parts: Parts = {
      system: hashTree(trees.system),
      data: hashTree(data),
      secrets: secretsPartHash(key, files),
    };
    const { stored } = await observe();
    const missing = Object.fromEntries(
      Object.entries(trees).filter(([part]) => {
        const name = part as keyof Parts;
        return !stored[name].includes(parts[name]);
      }),
    );
    const payload = await packParts(missing);
    const id = releaseId(parts);
    await driver.call('stage', {
      ...fencing,
      ...parts,
      id,
      dataFormat: formats.data,
      secretsFormat: formats.secrets,
      manifest,
      payload,
      payloadBytes: payload.length,
      payloadSha256: createHash('sha256').update(payload).digest('hex'),
    });
    return id;
  }

  async function build(id: string): Promise<Observation> {
    await driver.call('build', { ...fencing, id });
    return until('built', ({ build }) => build?.id === id && build.state !== 'Running');
  }

  async function activate(id: string, deadlines: Deadlines = {}): Promise<void> {
    await driver.call('activate', {
      ...fencing,
      id,
      attempt: deadlines.attempt ?? 1,
      confirmSeconds: deadlines.confirmSeconds ?? 60,
      activateSeconds: deadlines.activateSeconds ?? 60,
      allow: '',
    });
  }

  const inState = (...states: TrialState[]) =>
    until(`in ${states}`, ({ trial }) => trial !== null && states.includes(trial.state));
  const settled = () => inState('AwaitingConfirmation', 'RebootDue', 'Confirmed', 'Reverted');
  const confirm = (id: string, attempt = 1) => driver.call('confirm', { ...fencing, id, attempt });

  return {
    fencing,
    observe,
    until,
    inState,
    settled,
    stage,
    build,
    activate,
    confirm,
    reset: () => driver.call('reset', fencing),
    claim: (adopt = 0) =>
      driver.call('claim', {
        ...fencing,
        owner: 'fleet/alpha',
        uid: '6c1e0f0a-0000-4000-8000-000000000000',
        adopt,
      }),
    /** Stages and builds; fails where it does not build. */
    async prepare(wish: Wish): Promise<string> {
      const id = await stage(wish);
      const { build: job } = await build(id);
      if (job?.state !== 'Succeeded') throw new Error(`not built: ${job?.messageB64}`);
      return id;
    },
    /** The whole way to a confirmed release. */
    async deploy(wish: Wish, deadlines: Deadlines = {}): Promise<string> {
      const id = await this.prepare(wish);
      await activate(id, deadlines);
      const { trial } = await settled();
      if (trial?.state !== 'AwaitingConfirmation') throw new Error(`not healthy: ${JSON.stringify(trial)}`);
      const { state } = await confirm(id, deadlines.attempt);
      if (state !== 'Confirmed') throw new Error(`confirm said ${state}`);
      return id;
    },
  };
}

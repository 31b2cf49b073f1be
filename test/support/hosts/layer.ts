import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import { join } from 'node:path';
import { execute } from './command.ts';
import { tryLock, waitForLock } from './lock.ts';
import { imageCache } from './paths.ts';
import { say } from './say.ts';

/** A folder that is never written to once it is there: one lower directory of an overlay. */
export type Layer = { folder: string; below?: Layer };

const longestMs = 15 * 60_000;

/**
 * The layer with this name and content, made by `make` if the cache has none: `make` gets a root with all layers
 * below it and changes it. Several processes that need the same layer at once make it once.
 */
export async function layer(
  name: string,
  content: string,
  below: Layer | undefined,
  make: (root: string) => Promise<void>,
): Promise<Layer> {
  const key = createHash('sha256');
  key.update(JSON.stringify([name, content, below?.folder.split('/').at(-1)]));
  const id = `${name}-${key.digest('hex').slice(0, 16)}`;
  const made: Layer = { folder: join(imageCache(), id), ...(below === undefined ? {} : { below }) };
  if (existsSync(made.folder)) {
    utimesSync(made.folder, new Date(), new Date());
    return made;
  }
  const lock = await waitForLock(`layer ${id}`, longestMs);
  try {
    if (!existsSync(made.folder)) {
      await forgetOld(name);
      await makeLayer(id, made, make);
    }
  } finally {
    await lock.release();
  }
  return made;
}

async function makeLayer(id: string, made: Layer, make: (root: string) => Promise<void>): Promise<void> {
  const work = join(imageCache(), `.making-${id}`);
  // Of an earlier attempt that was killed.
  await discard(work);
  mkdirSync(join(work, 'root'), { recursive: true, mode: 0o755 });
  const started = performance.now();
  say(`making the host image ${id} …`);
  try {
    await mountOverlay(made.below, work);
    await make(join(work, 'root'));
    await execute('umount', [join(work, 'root')], { timeoutMs: 30_000 });
    renameSync(join(work, 'upper'), made.folder);
  } finally {
    await discard(work);
  }
  say(`made ${id} in ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

/** Layers of this name that nobody asked for in a week, or has mounted; and what is left of attempts that were killed. */
async function forgetOld(name: string): Promise<void> {
  mkdirSync(imageCache(), { recursive: true });
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8');
  const weekAgo = Date.now() - 7 * 24 * 3_600_000;
  for (const entry of readdirSync(imageCache())) {
    const folder = join(imageCache(), entry);
    if (entry.startsWith('.making-')) await discardAbandoned(entry.slice('.making-'.length));
    if (!/-[0-9a-f]{16}$/.test(entry) || entry.slice(0, -17) !== name) continue;
    if (statSync(folder).mtimeMs < weekAgo && !mounts.includes(folder))
      rmSync(folder, { recursive: true, force: true });
  }
}

async function discardAbandoned(id: string): Promise<void> {
  const lock = await tryLock(`layer ${id}`);
  if (lock === undefined) return;
  await discard(join(imageCache(), `.making-${id}`));
  await lock.release();
}

async function discard(work: string): Promise<void> {
  await execute('umount', ['-lq', join(work, 'root')], { timeoutMs: 30_000, allowFailure: true });
  rmSync(work, { recursive: true, force: true });
}

/**
 * Mounts `folder`/root: what is written to it lands in `folder`/upper. Without a layer below it is a bind mount of
 * that. `volatile`, as nothing here outlives a crash of the machine: fsync costs nothing then.
 */
export async function mountOverlay(below: Layer | undefined, folder: string): Promise<void> {
  const [root, upper, work] = [join(folder, 'root'), join(folder, 'upper'), join(folder, 'work')];
  for (const one of [root, upper, work]) mkdirSync(one, { recursive: true, mode: 0o755 });
  if (below === undefined) {
    await execute('mount', ['--bind', upper, root], { timeoutMs: 10_000 });
    return;
  }
  const options = `lowerdir=${stack(below).join(':')},upperdir=${upper},workdir=${work},volatile`;
  await execute('mount', ['-t', 'overlay', 'firn-host', '-o', options, root], { timeoutMs: 10_000 });
}

/** Topmost first, as overlayfs wants them. */
function stack(top: Layer): string[] {
  return [top.folder, ...(top.below === undefined ? [] : stack(top.below))];
}

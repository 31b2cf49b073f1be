import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { foldersOf, hierarchies, processesOf, removeCgroup } from './cgroups.ts';
import { execute, waitFor } from './command.ts';
import { slotNames } from './paths.ts';

const timeoutMs = 15_000;

/**
 * Takes everything of a slot off the machine: processes, mounts, network namespaces, its interface, cgroups, files.
 * Whoever calls it holds the slot's lock. Rejects naming what would not go.
 */
export async function sweepSlot(slot: number): Promise<void> {
  const names = slotNames(slot);
  const left: string[] = [];
  if (!(await killAll(names.cgroup))) left.push(`processes ${processesOf(names.cgroup).join(' ')}`);
  for (const point of [...mountsBelow(names.folder), ...containerFolders(slot)]) {
    const unmounted = await execute('umount', [point], { timeoutMs, allowFailure: true });
    // Lazily, where something still looks into it: it goes when that ends.
    if (unmounted.code !== 0) await execute('umount', ['-l', point], { timeoutMs, allowFailure: true });
  }
  for (const namespace of namespacesOf(slot)) await execute('ip', ['netns', 'del', namespace], { timeoutMs });
  if (existsSync(`/sys/class/net/${names.link}`))
    await execute('ip', ['link', 'del', names.link], { timeoutMs, allowFailure: true });
  await waitFor(() => removeCgroup(names.cgroup).length === 0, { timeoutMs: 3_000, everyMs: 50 });
  left.push(...removeCgroup(names.cgroup), ...mountsBelow(names.folder));
  if (left.length > 0) throw new Error(`left behind of slot ${slot}: ${left.join(', ')}`);
  for (const folder of [names.folder, ...containerFolders(slot)])
    rmSync(folder, { recursive: true, force: true });
  removeEmpty([dirname(names.folder), ...hierarchies().map((mount) => join(mount, dirname(names.cgroup)))]);
}

/** The last slot's parents. */
function removeEmpty(folders: string[]): void {
  for (const folder of folders) {
    try {
      rmdirSync(folder);
    } catch {
      // Another slot is in it, or it never was.
    }
  }
}

/** What is there of a slot on the machine, by name; nothing after a sweep. */
export function remainsOf(slot: number): string[] {
  const names = slotNames(slot);
  return [
    ...processesOf(names.cgroup).map((pid) => `process ${pid}`),
    ...foldersOf(names.cgroup),
    ...mountsBelow(names.folder),
    ...namespacesOf(slot),
    ...containerFolders(slot),
    ...(existsSync(`/sys/class/net/${names.link}`) ? [names.link] : []),
    ...(existsSync(names.folder) ? [names.folder] : []),
  ];
}

/** SIGKILLs all processes of a cgroup, those too that they start in the meantime; false if some would not go. */
export function killAll(cgroup: string): Promise<boolean> {
  return waitFor(
    () => {
      const pids = processesOf(cgroup);
      for (const pid of pids) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // Gone in the meantime.
        }
      }
      return pids.length === 0;
    },
    { timeoutMs: 10_000, everyMs: 20 },
  );
}

/** What systemd-nspawn makes for each container in /run, and does not always remove. */
function containerFolders(slot: number): string[] {
  const made = '/run/systemd/nspawn';
  if (!existsSync(made)) return [];
  return readdirSync(made, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap((entry) => readdirSync(join(made, entry.name)).map((name) => join(made, entry.name, name)))
    .filter((path) => basename(path).startsWith(slotNames(slot).prefix));
}

function namespacesOf(slot: number): string[] {
  if (!existsSync('/run/netns')) return [];
  return readdirSync('/run/netns').filter((name) => name.startsWith(slotNames(slot).prefix));
}

/** Innermost first. */
function mountsBelow(folder: string): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((point) => point.startsWith(`${folder}/`))
    .reverse();
}

import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The mount points of all cgroup hierarchies: one on a machine with cgroup v2 only, about ten with v1. */
export function hierarchies(mountinfo = readFileSync('/proc/self/mountinfo', 'utf8')): string[] {
  const found: string[] = [];
  for (const line of mountinfo.split('\n')) {
    // proc_pid_mountinfo(5): … mount point, options, optional fields, " - ", type, source, super options.
    const [before = '', after = ''] = line.split(' - ');
    const point = before.split(' ')[4];
    if (point !== undefined && /^cgroup2? /.test(after)) found.push(point);
  }
  return [...new Set(found)];
}

/**
 * Makes the cgroup in every hierarchy and returns its `cgroup.procs` files. Each host needs one of its own in each of
 * them: systemd-nspawn unshares only the hierarchy of systemd, and hosts that share the others kill each other's
 * processes when one of them stops.
 */
export function makeCgroup(name: string): string[] {
  return hierarchies().map((mount) => {
    const folder = join(mount, name);
    mkdirSync(folder, { recursive: true });
    inheritCpuset(mount, name);
    delegate(mount, name);
    return join(folder, 'cgroup.procs');
  });
}

/** cpuset v1: a new cgroup has no CPUs and takes no process before it was given some, at each level. */
function inheritCpuset(mount: string, name: string): void {
  if (!existsSync(join(mount, 'cpuset.sched_load_balance'))) return;
  let folder = mount;
  for (const part of name.split('/')) {
    for (const file of ['cpuset.cpus', 'cpuset.mems'])
      writeFileSync(join(folder, part, file), readFileSync(join(folder, file)));
    folder = join(folder, part);
  }
}

/** cgroups(7), v2: a cgroup has the controllers that the one above it hands down. What is not to be had is left out. */
function delegate(mount: string, name: string): void {
  if (!existsSync(join(mount, 'cgroup.controllers'))) return;
  const above = name.split('/').map((_, depth, parts) => join(mount, ...parts.slice(0, depth)));
  for (const folder of above)
    for (const controller of readFileSync(join(folder, 'cgroup.controllers'), 'utf8').trim().split(' ')) {
      try {
        writeFileSync(join(folder, 'cgroup.subtree_control'), `+${controller}`);
      } catch {
        // In use by a hierarchy of v1, or kept by whoever started this container.
      }
    }
}

/** The processes in the cgroup and below it, in any hierarchy. */
export function processesOf(name: string): number[] {
  const found = new Set<number>();
  for (const folder of foldersOf(name)) {
    try {
      for (const pid of readFileSync(join(folder, 'cgroup.procs'), 'utf8').split('\n'))
        if (Number(pid) > 0) found.add(Number(pid));
    } catch {
      // The folder went with its last process.
    }
  }
  return [...found];
}

/** Removes the cgroup and those below it. What still holds a process stays and is returned. */
export function removeCgroup(name: string): string[] {
  return foldersOf(name).filter((folder) => {
    try {
      rmdirSync(folder);
      return false;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code !== 'ENOENT';
    }
  });
}

/** The folders of a cgroup and those below it in all hierarchies, deepest first. */
export function foldersOf(name: string): string[] {
  const walk = (folder: string): string[] => {
    if (!existsSync(folder)) return [];
    const below = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return [...below.flatMap((entry) => walk(join(folder, entry.name))), folder];
  };
  return hierarchies().flatMap((mount) => walk(join(mount, name)));
}

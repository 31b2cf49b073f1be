import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, closeSync, existsSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { makeCgroup, processesOf, removeCgroup } from './cgroups.ts';
import { waitFor } from './command.ts';
import { killAll } from './sweep.ts';

export type MachineOptions = {
  name: string;
  /** Its name among all containers of the machine. */
  container: string;
  root: string;
  /** What runs as process 1; absent: what systemd-nspawn finds to boot. */
  init?: string;
  /** Of systemd-nspawn(1), further ones. */
  arguments?: readonly string[];
  namespacePath: string;
  cgroup: string;
  consoleFile: string;
  /** A hardware watchdog: resets the machine if systemd does not run `timeoutMs` after a boot for which it was armed. */
  watchdog?: { armed(): boolean; timeoutMs: number };
};

export type Machine = {
  /** How often it was started, reboots included. */
  boots(): number;
  /** Its process 1 as seen from outside; undefined while it is off. */
  leader(): number | undefined;
  on(): void;
  /** Without any warning to what runs in it. */
  cut(): Promise<void>;
  /** Resolves when it is off, by whatever cause; false when it is still on after `timeoutMs`. */
  ended(timeoutMs: number): Promise<boolean>;
};

/** systemd-nspawn(1), --keep-unit: the container asked for a reboot, start it again. */
const rebootStatus = 133;

/** How often in a row process 1 may end by itself before the machine stays off: a kernel with panic=1 goes on for ever. */
const mostPanics = 3;

/** A container with systemd-nspawn that behaves like a machine: has a power switch, and starts again on reboot. */
export function makeMachine(options: MachineOptions): Machine {
  let nspawn: ChildProcess | undefined;
  let boots = 0;
  let panics = 0;
  const note = (text: string) => appendFileSync(options.consoleFile, `[machine] ${text}\n`);

  const on = (): void => {
    if (nspawn !== undefined) return;
    const watched = options.watchdog?.armed() === true;
    const child = startNspawn(options);
    nspawn = child;
    boots += 1;
    note(`power on, boot ${boots}`);
    if (watched) watch(child, boots);
    child.once('error', (error) => note(`systemd-nspawn cannot be started: ${error.message}`));
    child.once('exit', (code, signal) => {
      if (nspawn !== child) return; // The power was cut.
      nspawn = undefined;
      note(`systemd-nspawn ended with ${code ?? signal}`);
      panics = code === rebootStatus || code === 0 ? 0 : panics + 1;
      if (code === rebootStatus || (code !== 0 && panics < mostPanics)) on();
    });
  };

  const cut = async (): Promise<void> => {
    const child = nspawn;
    nspawn = undefined;
    panics = 0;
    note('power cut');
    // Itself too: it may not have joined its cgroup yet.
    child?.kill('SIGKILL');
    const gone = () => child === undefined || child.exitCode !== null || child.signalCode !== null;
    const dead = await killAll(options.cgroup);
    if (!dead || !(await waitFor(gone, { timeoutMs: 10_000, everyMs: 10 })))
      throw new Error(`${options.name}: processes ${processesOf(options.cgroup).join(' ')} do not end`);
  };

  const watch = (child: ChildProcess, boot: number): void => {
    const bark = async () => {
      if (nspawn !== child || boots !== boot || runsSystemd(child)) return;
      note('watchdog: systemd does not run');
      await cut();
      on();
    };
    setTimeout(
      () => void bark().catch(() => note('watchdog: reset failed')),
      options.watchdog!.timeoutMs,
    ).unref();
  };

  return {
    boots: () => boots,
    leader: () => (nspawn?.pid === undefined ? undefined : leaderOf(nspawn.pid)),
    on,
    cut,
    ended: (timeoutMs) => waitFor(() => nspawn === undefined, { timeoutMs, everyMs: 50 }),
  };
}

function startNspawn(options: MachineOptions): ChildProcess {
  const { init, cgroup, consoleFile } = options;
  const args = [
    '--quiet',
    `--directory=${options.root}`,
    `--machine=${options.container}`,
    `--hostname=${options.name}`,
    `--network-namespace-path=${options.namespacePath}`,
    // Without it networkd stays down in a namespace that was made outside.
    '--capability=all',
    '--register=no',
    '--keep-unit',
    '--console=pipe',
    '--link-journal=no',
    '--resolv-conf=off',
    '--timezone=off',
    // For WireGuard outside of the kernel, which may have none.
    ...(existsSync('/dev/net/tun') ? ['--bind=/dev/net/tun'] : []),
    ...(options.arguments ?? []),
    ...(init === undefined ? ['--boot'] : ['--kill-signal=SIGRTMIN+3', init]),
  ];
  const console = openSync(consoleFile, 'a');
  // A new one for each boot: with v2 that of the last boot hands controllers down, and takes no process any more.
  removeCgroup(cgroup);
  // The shell joins the cgroups before it becomes systemd-nspawn. Names reach it as arguments, never as program.
  const join =
    'while [ "$1" != -- ]; do echo $$ >"$1" || exit 1; shift; done; shift; exec systemd-nspawn "$@"';
  const child = spawn('/bin/sh', ['-c', join, 'sh', ...makeCgroup(cgroup), '--', ...args], {
    stdio: ['ignore', console, console],
    detached: true,
    env: { PATH: process.env.PATH, SYSTEMD_NSPAWN_API_VFS_WRITABLE: 'network', SYSTEMD_NSPAWN_LOCK: '0' },
  });
  closeSync(console);
  child.unref();
  return child;
}

function runsSystemd(nspawn: ChildProcess): boolean {
  const leader = nspawn.pid === undefined ? undefined : leaderOf(nspawn.pid);
  if (leader === undefined) return false;
  return readFileSync(`/proc/${leader}/comm`, 'utf8').trim() === 'systemd';
}

/** The child of systemd-nspawn that is process 1 of a process namespace. */
function leaderOf(nspawn: number): number | undefined {
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const status = readFileSync(`/proc/${entry}/status`, 'utf8');
      if (/^PPid:\t(\d+)$/m.exec(status)?.[1] !== String(nspawn)) continue;
      if (/^NSpid:\t\d+\t1$/m.test(status)) return Number(entry);
    } catch {
      // It ended while we looked.
    }
  }
  return undefined;
}

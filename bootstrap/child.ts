import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** A program that runs beside us, writes to a log file, and does not outlive us. */
export type Child = {
  readonly name: string;
  /** Resolves, never rejects, with how it ended: `exit code 1`, `signal SIGKILL`. */
  readonly ended: Promise<string>;
  /** Null while it runs. */
  ending(): string | null;
  lastLines(count: number): string;
  /** SIGTERM, and SIGKILL after `graceMs`. Returns when the process is gone. */
  stop(graceMs: number): Promise<void>;
};

export type ChildSpec = {
  name: string;
  program: string;
  arguments: readonly string[];
  directory: string;
  /** The last run's log is kept beside it with the ending `.1`. */
  logFile: string;
  /** Says to a later run which process to look for if this one is killed. */
  pidFile: string;
};

export function startChild(spec: ChildSpec): Child {
  const [program = '', ...rest] = [...deathSignal(), spec.program, ...spec.arguments];
  const child = spawn(program, rest, {
    cwd: spec.directory,
    // A group of its own: Ctrl-C is for us, and we end our children in the right order.
    detached: true,
    stdio: ['ignore', ...logTo(spec.logFile)],
    // Nothing of the user's environment concerns these, a proxy least of all.
    env: { PATH: process.env.PATH ?? '', HOME: spec.directory },
  });
  if (child.pid !== undefined) writeFileSync(spec.pidFile, `${child.pid} ${startTimeOf(child.pid) ?? ''}\n`);
  let ending: string | null = null;
  const ended = endOf(child).then((how) => {
    rmSync(spec.pidFile, { force: true });
    ending = how;
    return how;
  });
  return {
    name: spec.name,
    ended,
    ending: () => ending,
    lastLines: (count) => tail(spec.logFile, count),
    stop: (graceMs) => stopChild(child, ended, graceMs),
  };
}

async function stopChild(child: ChildProcess, ended: Promise<string>, graceMs: number): Promise<void> {
  child.kill('SIGTERM');
  const force = setTimeout(() => child.kill('SIGKILL'), graceMs);
  await ended;
  clearTimeout(force);
}

const endOf = (child: ChildProcess): Promise<string> =>
  new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
  });

function logTo(file: string): [number, number] | ['ignore', 'ignore'] {
  try {
    renameSync(file, `${file}.1`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  // Both ends of the child's output are one file: nothing stalls when nobody reads, and nothing is lost when we die.
  const descriptor = openSync(file, 'a', 0o600);
  setImmediate(() => closeSync(descriptor));
  return [descriptor, descriptor];
}

let prefix: string[] | undefined;

/** Has the kernel end the child when we end, even by SIGKILL (prctl(2), PR_SET_PDEATHSIG), where that can be had. */
function deathSignal(): string[] {
  const wanted = ['setpriv', '--pdeathsig', 'KILL', '--'];
  prefix ??= spawnSync(wanted[0]!, [...wanted.slice(1), 'true']).status === 0 ? wanted : [];
  return prefix;
}

/** Ends the process that an earlier run left behind, if it is still that process. */
export async function endLeftover(pidFile: string): Promise<void> {
  const [pid, startTime] = readOr(pidFile, '').trim().split(' ');
  if (pid === undefined || startTime === undefined) return;
  const runs = (): boolean => startTimeOf(Number(pid)) === startTime;
  for (let waited = 0; runs(); waited += 20) {
    if (waited === 0) process.kill(Number(pid), 'SIGKILL');
    if (waited > 5000)
      throw new Error(`process ${pid}, left by an earlier run, does not end; end it yourself`);
    await sleep(20);
  }
  rmSync(pidFile, { force: true });
}

/** Field 22 of proc_pid_stat(5), which tells a process from a later one with the same number. */
function startTimeOf(pid: number): string | undefined {
  const stat = readOr(`/proc/${pid}/stat`, '');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? undefined : fields[19];
}

function tail(file: string, count: number): string {
  return readOr(file, '').trimEnd().split('\n').slice(-count).join('\n');
}

function readOr(file: string, otherwise: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return otherwise;
  }
}

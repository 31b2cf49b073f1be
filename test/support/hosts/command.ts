import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, openSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

export type Finished = { code: number; stdout: string; stderr: string };

export type CommandOptions = {
  /** After this the command and all of its process group are killed, and the promise rejects. */
  timeoutMs: number;
  input?: string | Uint8Array;
  /** What the command reads as file descriptor 3: a script that should not stand in its arguments. */
  script?: string;
  env?: NodeJS.ProcessEnv;
  /** Resolve with an exit status other than 0 instead of rejecting. */
  allowFailure?: boolean;
};

/**
 * Runs a program to its end. Rejects if it cannot be started, runs too long, or (without `allowFailure`) fails;
 * the error then holds the end of what it wrote to standard error.
 */
export async function execute(file: string, args: string[], options: CommandOptions): Promise<Finished> {
  const script = openUnnamed(options.script ?? '');
  const child = spawn(file, args, {
    stdio: ['pipe', 'pipe', 'pipe', script],
    detached: true,
    ...(options.env === undefined ? {} : { env: options.env }),
  });
  closeSync(script);
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', (cause) => reject(new Error(`${file} cannot be started`, { cause })));
    child.once('close', (code, signal) => resolve(code ?? (signal === 'SIGKILL' ? 137 : 128)));
  });
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    killGroup(child.pid);
  }, options.timeoutMs);
  // The command may end without having read it all (EPIPE): its exit status says what matters.
  child.stdin!.on('error', () => {});
  child.stdin!.end(options.input ?? '');
  try {
    const [out, err, code] = await Promise.all([collect(child.stdout!), collect(child.stderr!), ended]);
    const said = `${file} ${args.slice(0, 3).join(' ')}`;
    if (late)
      throw new Error(`${said} did not end within ${options.timeoutMs} ms: ${tail(err)} ${tail(out)}`);
    if (code !== 0 && options.allowFailure !== true)
      throw new Error(`${said} ended with ${code}: ${tail(err) || tail(out)}`);
    return { code, stdout: out, stderr: err };
  } finally {
    clearTimeout(timer);
  }
}

/** Waits until `ask` answers true; false when it has not within `timeoutMs`. */
export async function waitFor(
  ask: () => boolean | Promise<boolean>,
  options: { timeoutMs: number; everyMs: number },
): Promise<boolean> {
  const end = performance.now() + options.timeoutMs;
  for (;;) {
    if (await ask()) return true;
    if (performance.now() >= end) return false;
    await new Promise((resolve) => setTimeout(resolve, options.everyMs));
  }
}

/** A file without a name. Not a pipe: what Node makes are sockets, and `/dev/fd/3` of a socket cannot be opened. */
function openUnnamed(content: string): number {
  const name = join(tmpdir(), `firn-script-${randomUUID()}`);
  writeFileSync(name, content, { mode: 0o600 });
  const descriptor = openSync(name, 'r');
  unlinkSync(name);
  return descriptor;
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Gone in the meantime.
  }
}

async function collect(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function tail(text: string): string {
  return text.trim().split('\n').slice(-15).join('\n');
}

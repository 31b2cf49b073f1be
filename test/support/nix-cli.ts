/** The machine's own Nix, on a throw-away folder: nothing is written outside of it, and no store is needed. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type Ran = { status: number; stdout: string; stderr: string };

export class NixFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'firn-nix-'));

  write(name: string, content: string | Uint8Array): string {
    const file = join(this.path, name);
    writeFileSync(file, content);
    return file;
  }

  /** Runs one of Nix's programs; a program that hangs is killed after a minute. */
  run(program: string, args: readonly string[]): Promise<Ran> {
    return new Promise((resolve, reject) => {
      const child = spawn(program, args, {
        cwd: this.path,
        env: { PATH: process.env.PATH ?? '', HOME: this.path, NIX_CONF_DIR: this.path, LC_ALL: 'C.UTF-8' },
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: 60_000,
      });
      const stdout: Buffer[] = [];
      const stderr: Buffer[] = [];
      child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
      child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
      child.on('error', reject);
      child.on('close', (code) =>
        resolve({
          status: code ?? -1,
          stdout: Buffer.concat(stdout).toString('utf8'),
          stderr: Buffer.concat(stderr).toString('utf8'),
        }),
      );
    });
  }

  /** Evaluates a file's expression, strictly, to JSON. Throws with Nix's own words. */
  async evaluate(file: string): Promise<unknown> {
    const args = ['--eval', '--strict', '--json', '--store', 'dummy://', file];
    const { status, stdout, stderr } = await this.run('nix-instantiate', args);
    if (status !== 0) throw new Error(stderr);
    return JSON.parse(stdout);
  }

  /** Throws with Nix's own words unless the file is one well-formed Nix expression. */
  async parse(file: string): Promise<void> {
    const { status, stderr } = await this.run('nix-instantiate', ['--parse', '--store', 'dummy://', file]);
    if (status !== 0) throw new Error(stderr);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

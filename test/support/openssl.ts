import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder for OpenSSL's files, gone when the scope ends. */
export class OpensslFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'firn-openssl-'));

  /** Writes each `name: content`, runs `openssl` there, and gives what it prints, on either stream. */
  run(args: string[], files: Record<string, string> = {}): string {
    for (const [name, content] of Object.entries(files)) {
      writeFileSync(join(this.path, name), content, { mode: 0o600 });
    }
    return execFileSync('openssl', args, {
      cwd: this.path,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

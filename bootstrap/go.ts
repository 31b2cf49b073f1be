import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Asset } from './assets.ts';

const run = promisify(execFile);

/** From this one on, Go fetches by itself the version that a `go.mod` asks for. */
const oldest = { major: 1, minor: 21 };

/** Throws a sentence that says what to install, or what to set instead, where there is no Go to build with. */
export async function requireGo(name: string, asset: Asset, environment: NodeJS.ProcessEnv): Promise<void> {
  const instead =
    `Install Go 1.26 or newer, or set FIRN_ASSETS to a folder that holds ${name} ` +
    `${asset.version.split('.').slice(0, 2).join('.')}.`;
  let said: string;
  try {
    said = (
      await run('go', ['env', 'GOVERSION'], {
        env: { ...environment, GOTOOLCHAIN: 'local' },
        timeout: 10_000,
      })
    ).stdout;
  } catch {
    throw new Error(
      `${name} ${asset.version} must be built, and there is no Go toolchain in PATH. ${instead}`,
    );
  }
  const [, major = '0', minor = '0'] = /go(\d+)\.(\d+)/.exec(said) ?? [];
  if (Number(major) !== oldest.major || Number(minor) >= oldest.minor) return;
  throw new Error(
    `${name} ${asset.version} must be built, and ${said.trim()} is too old for that. ${instead}`,
  );
}

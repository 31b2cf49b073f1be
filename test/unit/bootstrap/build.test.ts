import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assets, moduleDirectory, nextKubernetes } from '../../../bootstrap/assets.ts';
import { buildAsset } from '../../../bootstrap/build.ts';
import type { Progress } from '../../../bootstrap/progress.ts';

let folder: string;
let said: string[];
let environment: NodeJS.ProcessEnv;
const progress: Progress = {
  note: (line) => void said.push(line),
  start: (what) => {
    said.push(what);
    return { update: () => {}, end: () => {} };
  },
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'firn-build-'));
  said = [];
  mkdirSync(join(folder, 'bin'));
  environment = {
    PATH: `${join(folder, 'bin')}:/usr/bin:/bin`,
    FIRN_CACHE: join(folder, 'cache'),
    HOME: folder,
  };
});
afterEach(() => rmSync(folder, { recursive: true }));

function program(path: string, script: string): string {
  const file = join(folder, path);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return file;
}

/** A Go toolchain as far as building goes: it leaves a program that says its version. */
const go = (version: string, build: string): string =>
  program(
    'bin/go',
    `if [ "$1" = env ]; then echo ${version}; exit; fi\necho "$@" >>${folder}/calls\n${build}`,
  );
const makes = (version: string): string =>
  `while [ "$1" != -o ]; do shift; done; printf '#!/bin/sh\\necho etcd Version: ${version}\\n' >"$2"; chmod +x "$2"`;
const calls = (): string[] => readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n');
const build = (): Promise<string> => buildAsset('etcd', { environment, progress });

test('a program of the right minor version is taken from FIRN_ASSETS', async () => {
  const file = program('mine/etcd', 'echo etcd Version: 3.6.1');
  environment.FIRN_ASSETS = join(folder, 'mine');
  expect(await build()).toBe(file);
  expect(said).toEqual([]);
});

test('one of another version is named and not used', async () => {
  const wrong = program('mine/etcd', 'echo etcd Version: 3.5.9');
  const broken = program('other/etcd', 'exit 1');
  const right = program('bin/etcd', 'echo etcd Version: 3.6.99');
  Object.assign(environment, {
    FIRN_ASSETS: join(folder, 'mine'),
    KUBEBUILDER_ASSETS: join(folder, 'other'),
  });
  expect(await build()).toBe(right);
  expect(said).toEqual([
    `${wrong} is 3.5.9, not 3.6: not used`,
    `${broken} is of an unknown version, not 3.6: not used`,
  ]);
});

test('without Go it says what to install, and what to set instead', async () => {
  environment.PATH = join(folder, 'bin');
  await expect(build()).rejects.toThrow(
    'etcd 3.6.16 must be built, and there is no Go toolchain in PATH. ' +
      'Install Go 1.26 or newer, or set FIRN_ASSETS to a folder that holds etcd 3.6.',
  );
});

test('a Go that is too old is named', async () => {
  go('go1.19.8', '');
  await expect(build()).rejects.toThrow('etcd 3.6.16 must be built, and go1.19.8 is too old for that.');
});

test('builds once, with what the module fixes, and finds it again', async () => {
  go('go1.26.1', makes('3.6.16'));
  const file = await build();
  expect(file.startsWith(join(folder, 'cache/assets/etcd-'))).toBe(true);
  expect(await build()).toBe(file);
  expect(said).toEqual(['building etcd 3.6.16']);
  expect(calls()).toEqual([
    expect.stringContaining('build -v -trimpath -buildvcs=false -mod=readonly -ldflags -s -w -o '),
  ]);
});

test('another release is built beside the usual one', async () => {
  go('go1.26.1', makes('3.7.0'));
  const asset = { ...assets.etcd, version: '3.7.0', ldflags: '-s' };
  const file = await buildAsset('etcd', { environment, progress, asset });
  expect(said).toEqual(['building etcd 3.7.0']);
  go('go1.26.1', makes('3.6.16'));
  expect(await build()).not.toBe(file);
});

test('two that need it at once build it once', async () => {
  go('go1.26.1', `sleep 0.7; ${makes('3.6.16')}`);
  const [one, other] = await Promise.all([build(), build()]);
  expect(one).toBe(other);
  expect(calls()).toHaveLength(1);
  expect(said.toSorted()).toEqual(['building etcd 3.6.16', 'waiting for another process that builds etcd']);
});

test('a build that fails shows the last lines and leaves nothing behind', async () => {
  go('go1.26.1', 'echo "main.go:1: no luck" >&2; exit 3');
  await expect(build()).rejects.toThrow('go could not build etcd (exit code 3):\nmain.go:1: no luck');
  const left = readdirSync(join(folder, 'cache/assets'), { recursive: true }).map(String);
  expect(left.filter((name) => !/\/etcd\.lock(\.pid)?$/.test(name))).toEqual([
    expect.stringMatching(/^etcd-[0-9a-f]{16}$/),
  ]);
});

test('what was built is run before it is trusted', async () => {
  go('go1.26.1', makes('3.6.2'));
  await expect(build()).rejects.toThrow('the etcd just built calls itself 3.6.2');
});

test('a build can be broken off', async () => {
  go('go1.26.1', 'exec sleep 30');
  const signal = AbortSignal.timeout(300);
  await expect(buildAsset('etcd', { environment, progress, signal })).rejects.toThrow();
});

test.each([...Object.entries(assets), ...Object.entries(nextKubernetes)])(
  '%s: the module asks for the version that is promised',
  (_name, asset) => {
    const text = readFileSync(join(moduleDirectory(asset.module), 'go.mod'), 'utf8');
    const [, module, version] = [...text.matchAll(/^\t(?:require )?(\S+) v(\S+)/gm)].find(([, path]) =>
      `${asset.package}/`.startsWith(`${path}/`),
    )!;
    // WireGuard's own tags are no versions of a Go module: a commit names it.
    if (module === 'golang.zx2c4.com/wireguard') expect(version).toMatch(/^0[.]0[.]0-/);
    else expect(version).toBe(asset.version);
    expect(text).toMatch(new RegExp(`tool[^]*${asset.package}`));
    expect(existsSync(join(moduleDirectory(asset.module), 'go.sum'))).toBe(true);
  },
);

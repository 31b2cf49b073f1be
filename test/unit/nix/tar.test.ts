import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packParts } from '../../../controllers/lib/nix/tar.ts';
import type { Tree } from '../../../controllers/lib/nix/tree.ts';

const long = `modules/${'m'.repeat(96)}.nix`;
const system: Tree = new Map([
  ['host.nix', '{ }\n'],
  [long, 'long'],
  ['firn/default.nix', 'unicode: ß𝄞'],
]);
const secrets: Tree = new Map<string, string | Uint8Array>([
  ['index', ''],
  ['0', new Uint8Array([0, 255, 10])],
]);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'firn-tar-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('tar unpacks what was packed', async () => {
  const payload = await packParts({ system, data: new Map(), secrets });
  execFileSync('tar', ['-xf', '-', '-C', folder], { input: payload });
  expect(readdirSync(folder).sort()).toEqual(['bundle', 'data', 'secrets']);
  for (const [path, content] of system) {
    expect(readFileSync(join(folder, 'bundle', path), 'utf8')).toBe(content);
  }
  expect([...readFileSync(join(folder, 'secrets/0'))]).toEqual([0, 255, 10]);
  expect(statSync(join(folder, 'secrets')).mode & 0o777).toBe(0o700);
  expect(statSync(join(folder, 'secrets/0')).mode & 0o777).toBe(0o600);
  expect(statSync(join(folder, 'bundle/host.nix')).mtimeMs).toBe(0);
});

test('equal trees give equal bytes, whatever their order', async () => {
  const one = await packParts({ system, secrets });
  const other = await packParts({
    secrets: new Map([...secrets].reverse()),
    system: new Map([...system].reverse()),
  });
  expect(Buffer.compare(one, other)).toBe(0);
});

test('nothing but what was asked for is sent', async () => {
  const payload = Buffer.from(await packParts({ data: new Map([['hosts', '']]) }));
  expect(payload.includes('secrets')).toBe(false);
  expect(execFileSync('tar', ['-tf', '-'], { input: payload, encoding: 'utf8' })).toBe('data\ndata/hosts\n');
});

test('a path that leaves the folder is refused', async () => {
  await expect(packParts({ data: new Map([['../x', '']]) })).rejects.toThrow('not a path');
});

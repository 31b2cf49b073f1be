import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runFirnCli } from '../../support/cli.ts';
import { generateSshKey } from '../../support/ssh-keys.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'firn-render-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const key = generateSshKey();
const canary = 'canary-of-a-licence';
const manifests = (spec = ''): string => `
apiVersion: v1
kind: Secret
metadata: { name: deploy-key, namespace: fleet }
type: kubernetes.io/ssh-auth
stringData:
  ssh-privatekey: ${JSON.stringify(key.private)}
---
apiVersion: v1
kind: Secret
metadata: { name: licence, namespace: fleet }
stringData: { text: ${canary} }
---
apiVersion: firn.dev/v1alpha1
kind: NixNode
metadata: { name: alpha, namespace: fleet, labels: { site: berlin } }
spec:
  ssh: { host: 192.0.2.11, keyRef: { name: deploy-key }, hostKeyPolicy: TrustOnFirstUse }
  stateVersion: "26.05"
  nixpkgs: { url: "github:NixOS/nixpkgs/nixos-26.05"${spec} }
  system: aarch64-linux
  modules:
    - inline: "{ one = 1; }"
    - configMapRef: { name: hardware, key: disk.nix }
  files:
    - { path: /run/licence, secretRef: { name: licence, key: text } }
---
apiVersion: firn.dev/v1alpha1
kind: NixModule
metadata: { name: base, namespace: fleet }
spec: { nodeSelector: { matchLabels: { site: berlin } }, inline: "{ shared = true; }" }
---
apiVersion: firn.dev/v1alpha1
kind: NixModule
metadata: { name: other, namespace: elsewhere }
spec: { inline: "{ foreign = true; }" }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: hardware, namespace: fleet }
data: { disk.nix: "{ disk = 1; }" }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: not-ours }
`;
const pinned = `, rev: ${'a'.repeat(40)}, narHash: sha256-${'A'.repeat(43)}=`;

function write(text: string, name = 'fleet.yaml'): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

test('prints what would be deployed, from manifests alone', async () => {
  const { code, out, err } = await runFirnCli(['render', '-f', write(manifests(pinned))]);
  expect({ code, err }).toEqual({
    code: 0,
    err: expect.stringMatching(/^firn: alpha: system [0-9a-f]{64}\n$/),
  });
  for (const part of [
    '{ one = 1; }',
    '{ disk = 1; }',
    '{ shared = true; }',
    'aarch64-linux',
    '# --- alpha/flake.lock',
  ]) {
    expect(out).toContain(part);
  }
  expect(out).toContain(key.public.split(' ').slice(0, 2).join(' '));
  expect(out).not.toContain('foreign');
});

test('no secret is in it', async () => {
  const out = join(folder, 'out');
  const printed = await runFirnCli(['render', '-f', write(manifests(pinned))]);
  const { code } = await runFirnCli(['render', '-f', write(manifests(pinned)), '--out', out]);
  expect(code).toBe(0);
  const files = readdirSync(out, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const written = files.map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8')).join('');
  expect(files.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['flake.nix', 'flake.lock', 'host.nix']),
  );
  for (const text of [printed.out, printed.err, written]) {
    expect(text).not.toContain(canary);
    expect(text).not.toContain('PRIVATE KEY');
  }
});

test('the same manifests give the same bytes', async () => {
  const file = write(manifests(pinned));
  expect(await runFirnCli(['render', '-f', file])).toEqual(await runFirnCli(['render', '-f', file]));
});

test('what only a host knows is left out, and said', async () => {
  const { code, out, err } = await runFirnCli(['render', '-f', write(manifests())]);
  expect(code).toBe(0);
  expect(err).toBe(
    'firn: alpha: flake.lock is left out: a host has yet to resolve github:NixOS/nixpkgs/nixos-26.05\n',
  );
  expect(out).not.toContain('flake.lock');
});

test('a module that is not there is named', async () => {
  const text = manifests(pinned).replace('name: hardware, namespace', 'name: hardwear, namespace');
  const { code, err } = await runFirnCli(['render', '-f', write(text)]);
  expect({ code, err }).toEqual({
    code: 1,
    err: 'firn: ConfigMap hardware is not there, and a module is to be read from it\n',
  });
});

test('a manifest that is not valid is named with its field', async () => {
  const text = manifests().replace('"26.05"', '"latest"');
  const { code, err } = await runFirnCli(['render', '-f', write(text)]);
  expect(code).toBe(1);
  expect(err).toMatch(/fleet\.yaml: NixNode alpha: .*spec\.stateVersion/);
  const broken = await runFirnCli(['render', '-f', write('a: [', 'broken.yaml')]);
  expect(broken).toMatchObject({ code: 1, err: expect.stringContaining('broken.yaml: ') });
});

test('one of several nodes by its name; another name is refused', async () => {
  const file = write(manifests(pinned));
  expect((await runFirnCli(['render', 'alpha', '-f', file])).code).toBe(0);
  expect(await runFirnCli(['render', 'beta', '-f', file])).toMatchObject({
    code: 1,
    err: 'firn: the manifests hold no NixNode beta\n',
  });
});

test('a folder that holds something is not written over', async () => {
  mkdirSync(join(folder, 'out/alpha'), { recursive: true });
  writeFileSync(join(folder, 'out/alpha/old.nix'), '');
  const { code, err } = await runFirnCli([
    'render',
    '-f',
    write(manifests(pinned)),
    '-o',
    join(folder, 'out'),
  ]);
  expect({ code, err }).toMatchObject({ code: 1, err: expect.stringContaining('alpha is not empty') });
});

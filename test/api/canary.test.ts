/** That secrets are searched for wherever a run of the operator could leave them, whatever a test forgets. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newCanary } from '../support/canary.ts';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { installFirn, type RunningFirn, startFirn } from '../support/firn.ts';
import { apply, namespace, sshKeySecret } from '../support/fleet.ts';
import { findLeaks, forgetSecret } from '../support/secrets/registry.ts';
import { type ScriptedFleet, startScriptedHosts } from '../support/ssh-server/scripted-hosts.ts';

let cluster: TestCluster;
let operator: RunningFirn;
let fleet: ScriptedFleet;
const canary = newCanary();

beforeAll(async () => {
  cluster = await startTestCluster();
  await installFirn(cluster);
  operator = await startFirn(cluster);
  fleet = await startScriptedHosts({ count: 1 });
  await apply(cluster, sshKeySecret(fleet.privateKey), {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'licence', namespace },
    stringData: { 'licence.txt': canary },
  });
}, 120_000);

afterAll(async () => {
  forgetSecret(canary);
  await operator?.stop();
  await fleet?.close();
  await cluster?.stop();
});

const configMap = (text: string): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'leak', namespace },
  data: { text },
});

/** Whoever got the text in does not matter: it is there. */
const leaks: [where: string, leak: (secret: string) => unknown, undo: () => unknown, found: RegExp][] = [
  [
    'an object',
    (secret) => apply(cluster, configMap(`a=1\nkey=${secret}`)),
    () => apply(cluster, configMap('')),
    /^the API server: configmaps fleet\/leak: Secret .*, at key=\[secret\]$/m,
  ],
  [
    'an object, in base64',
    (secret) => apply(cluster, configMap(Buffer.from(`x${secret}x`).toString('base64'))),
    () => apply(cluster, configMap('')),
    /^the API server: configmaps fleet\/leak/m,
  ],
  [
    "a node's status",
    (secret) => apply(cluster, leakyNode).then(() => patchStatus(secret)),
    () => cluster.kubectl(['delete', 'nixnode', '-n', namespace, 'leaky']),
    /^the API server: nixnodes fleet\/leaky/m,
  ],
  [
    'an event',
    (secret) => cluster.kubectl(['create', '-f', '-'], JSON.stringify(event(secret))),
    () => cluster.kubectl(['delete', 'events.v1.events.k8s.io', '-n', namespace, 'leak']),
    /^the API server: events fleet\/leak/m,
  ],
  [
    "the operator's log",
    (secret) => (operator.log as string[]).push(`{"msg":"key=${secret}"}\n`),
    () => (operator.log as string[]).pop(),
    /^the operator's log: Secret .*, at \{"msg":"key=\[secret\]$/m,
  ],
  [
    "the operator's log, as bytes",
    (secret) => (operator.log as string[]).push(JSON.stringify({ ...Buffer.from(secret) })),
    () => (operator.log as string[]).pop(),
    /^the operator's log/m,
  ],
  [
    'a request to a host',
    (secret) => (fleet.hosts[0]!.calls as object[]).push({ fields: { message: `oh: ${secret}` } }),
    () => (fleet.hosts[0]!.calls as object[]).pop(),
    /^requests to scripted hosts.*oh: \[secret\]$/m,
  ],
];

const leakyNode = {
  apiVersion: 'firn.dev/v1alpha1',
  kind: 'NixNode',
  metadata: { name: 'leaky', namespace },
  spec: {
    ssh: { host: '127.0.0.1', keyRef: { name: 'nobody' }, hostKeyPolicy: 'TrustOnFirstUse' },
    stateVersion: '26.05',
    nixpkgs: { url: 'github:NixOS/nixpkgs/nixos-26.05' },
  },
};

const patchStatus = async (secret: string) => {
  const status = { ...leakyNode, spec: undefined, status: { facts: { hostname: secret } } };
  const words = ['--subresource=status', '--server-side', '--field-manager=leak', '-f', '-'];
  const done = await cluster.kubectl(['apply', ...words], JSON.stringify(status));
  expect(done.stderr).toBe('');
};

const event = (note: string): object => ({
  apiVersion: 'events.k8s.io/v1',
  kind: 'Event',
  metadata: { name: 'leak', namespace },
  eventTime: '2026-01-01T00:00:00.000000Z',
  reportingController: 'firn.dev/nixnode',
  reportingInstance: 'test',
  action: 'Reconcile',
  type: 'Normal',
  reason: 'Leaked',
  note,
  regarding: { kind: 'NixNode', name: 'leaky', namespace },
});

/** The second line of a key's body is the first that is its own. */
const keyLine = (): string => fleet.privateKey.split('\n')[3]!;

test.each(leaks)('a delivered file in %s is found, and not repeated', async (_, leak, undo, found) => {
  expect(await findLeaks()).toEqual([]);
  await leak(canary);
  const said = (await findLeaks()).join('\n');
  await undo();
  expect(said).toMatch(found);
  expect(said).not.toContain(canary);
});

test.each(leaks)('a line of the login key in %s is found', async (_, leak, undo, found) => {
  await leak(keyLine());
  const said = (await findLeaks()).join('\n');
  await undo();
  expect(said).toMatch(found);
  expect(said).not.toContain(keyLine());
});

test('a secret that was changed or deleted since is still one', async () => {
  await cluster.kubectl(['delete', 'secret', '-n', namespace, 'licence']);
  await apply(cluster, configMap(canary));
  const said = await findLeaks();
  await apply(cluster, configMap(''));
  expect(said).toEqual([expect.stringMatching(/configmaps fleet\/leak/)]);
});

test('a Secret that nobody told the test of is one: what the operator makes for itself', async () => {
  const get = ['get', 'secret', '-n', 'firn-system', 'firn-installation', '-o', 'jsonpath={.data.hmacKey}'];
  const { stdout } = await cluster.kubectl(get);
  expect(stdout).toMatch(/^[A-Za-z0-9+/]{40,}/);
  await apply(cluster, configMap(Buffer.from(stdout, 'base64').toString('hex')));
  const said = await findLeaks();
  await apply(cluster, configMap(''));
  expect(said).toEqual([expect.stringMatching(/configmaps fleet\/leak: .*firn-installation hmacKey/)]);
});

test('a value that could not be looked for is refused', async () => {
  const secret = { kind: 'Secret', metadata: { name: 'short', namespace }, stringData: { a: 'one' } };
  await expect(apply(cluster, { apiVersion: 'v1', ...secret })).rejects.toThrow(/too short/);
});

// The other tests ask; this one forgets to.
const forgetful = `
import { guardText, keepSecret } from '${join(import.meta.dirname, '../support/secrets/registry.ts')}';
const secret = 'a secret of a careless test';
const log = [];
const stop = guardText('the log of a support', () => log.join(''));
keepSecret('the licence', secret);
afterAll(async () => STOP);
test('nothing is wrong here', () => { log.push('licence ' + secret); });
`;

test.each([
  ['that was stopped before the end', 'await stop()'],
  ['that is never stopped', 'undefined'],
])('a file that lets a secret out fails without asking, in a support %s', async (_, stop) => {
  const folder = mkdtempSync(join(tmpdir(), 'firn-forgetful-'));
  writeFileSync(join(folder, 'forgetful.test.ts'), forgetful.replace('STOP', stop));
  const { code, printed } = await runJest(folder);
  rmSync(folder, { recursive: true });
  expect(printed).toContain('the log of a support: the licence, at licence [secret]');
  expect(code).toBe(1);
});

function runJest(folder: string): Promise<{ code: number | null; printed: string }> {
  const root = join(import.meta.dirname, '../..');
  const jest = ['--experimental-vm-modules', join(root, 'node_modules/jest/bin/jest.js')];
  const words = ['--roots', folder, '--testMatch', `${folder}/*.test.ts`, '--no-cache'];
  const child = spawn(process.execPath, [...jest, ...words], { cwd: root, timeout: 60_000 });
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, printed }));
  });
}

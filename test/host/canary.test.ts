/** That the search for secrets finds on a host what it is there to find: a search that finds nothing proves nothing. */
import { newCanary } from '../support/canary.ts';
import { startHosts, type TestHost, type TestHosts } from '../support/hosts/start.ts';
import { findLeaks, forgetSecret, keepSecret } from '../support/secrets/registry.ts';

let started: TestHosts;
let host: TestHost;
beforeAll(async () => {
  started = await startHosts({ count: 1, flavour: 'nixos', secretsIn: ['/var/lib/planted'] });
  host = started.hosts[0]!;
});
afterAll(() => started.stop());

let canary: string;
beforeEach(() => {
  canary = newCanary();
  keepSecret('the planted one', canary);
});
// What was let out here on purpose must not fail the file.
afterEach(() => forgetSecret(canary));

// The canary reaches the script over standard input: nothing but the case itself leaks it.
const leaks: [where: string, script: string, found: RegExp][] = [
  ['the store', 'cat >/tmp/x; nix-store --add /tmp/x', /in the file \/nix\/store\//],
  ['a file on disk', 'cat >/var/lib/leaked', /in the file \/var\/lib\/leaked/],
  [
    "Firn's folder",
    'mkdir -p /var/lib/firn/log; cat >/var/lib/firn/log/build',
    /in the file \/var\/lib\/firn\/log\/build/,
  ],
  ['the journal', 'systemd-cat cat', /journalctl.*\[secret\]/],
  ['the journal, in base64', 'base64 -w0 | systemd-cat cat', /journalctl.*\[secret\]/],
  ['a unit', 'systemd-run -q --unit=leaks --setenv=SECRET="$(cat)" sleep 100', /systemctl show.*\[secret\]/],
];

test.each(leaks)('a secret in %s is found, and not repeated', async (_, script, found) => {
  expect(await findLeaks()).toEqual([]);
  await host.run(script, { input: canary });
  const said = (await findLeaks()).join('\n');
  expect(said).toMatch(found);
  expect(said).toContain('the planted one');
  expect(said).not.toContain(canary);
});

test('a secret in arguments is found, after the process has ended too', async () => {
  await host.run('sh -c "sleep 0.5; true" sh "$(cat)"', { input: canary });
  expect(await findLeaks()).toEqual([expect.stringMatching(/^a process's arguments: .*\[secret\]$/)]);
});

test('a secret on tmpfs is where it belongs, and so is one that the test put somewhere', async () => {
  await host.run('umask 077; tee /run/secret >/var/lib/planted', { input: canary });
  expect(await findLeaks()).toEqual([]);
});

test('the key with which tests log in is a secret by itself', async () => {
  const { readFileSync } = await import('node:fs');
  await host.run('cat >/var/lib/firn-key', { input: readFileSync(host.adminKeyFile) });
  expect(await findLeaks()).toEqual([expect.stringMatching(/\/var\/lib\/firn-key/)]);
  await host.run('rm /var/lib/firn-key');
});

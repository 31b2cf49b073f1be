/** That the search for secrets finds what it is there to find: a search that finds nothing proves nothing. */
import { expectNoSecret, newCanary, watchForCanaries } from '../support/canary.ts';
import { startHosts, type TestHost, type TestHosts } from '../support/hosts/start.ts';

let started: TestHosts;
let host: TestHost;
beforeAll(async () => {
  started = await startHosts({ count: 1, flavour: 'nixos' });
  host = started.hosts[0]!;
});
afterAll(() => started.stop());

// The canary reaches the script over standard input: nothing but the case itself leaks it.
const leaks: [where: string, script: string, found: RegExp][] = [
  ['the store', 'cat >/tmp/x; nix-store --add /tmp/x', /in the file \/nix\/store\//],
  ['a file on disk', 'cat >/var/lib/leaked', /in the file \/var\/lib\/leaked/],
  ['the journal', 'systemd-cat cat', /journalctl.*\[secret\]/],
  ['the journal, in base64', 'base64 -w0 | systemd-cat cat', /journalctl.*\[secret\]/],
  ['a unit', 'systemd-run -q --unit=leaks --setenv=SECRET="$(cat)" sleep 100', /systemctl show.*\[secret\]/],
];

test.each(leaks)('a secret in %s is found', async (_, script, found) => {
  const canary = newCanary();
  await expectNoSecret([canary], { hosts: [host] });
  await host.run(script, { input: canary });
  await expect(expectNoSecret([canary], { hosts: [host] })).rejects.toThrow(found);
});

test('a secret in arguments is found, after the process has ended too', async () => {
  const canary = newCanary();
  using watch = watchForCanaries([canary]);
  await host.run('sh -c "sleep 0.5; true" sh "$(cat)"', { input: canary });
  await expect(watch.expectNone({})).rejects.toThrow(/argv: .*\[secret\]/);
});

test('a secret in a log is found, and not repeated', async () => {
  const canary = newCanary();
  const texts = { operator: `{"password":"${canary}"}` };
  const failure = await expectNoSecret([canary], { texts }).catch((error: Error) => error.message);
  expect(failure).toContain('operator: {"password":"[secret]');
  expect(failure).not.toContain(canary);
});

test('a secret on tmpfs is where it belongs', async () => {
  const canary = newCanary();
  await host.run('umask 077; cat >/run/secret', { input: canary });
  await expectNoSecret([canary], { hosts: [host] });
});

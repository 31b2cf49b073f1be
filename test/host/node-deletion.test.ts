/** A deleted NixNode on hosts that boot: what is left there, and what is not. */
import { type Booted, bootedNode, startBooted } from '../support/booted.ts';
import { newCanary } from '../support/canary.ts';
import { waitForEvent } from '../support/events.ts';
import { startFirn } from '../support/firn.ts';
import { apply, conditionOf, isReady, namespace, waitForNode } from '../support/fleet.ts';
import type { TestHost } from '../support/hosts/start.ts';

let booted: Booted;
let alpha: TestHost;
let beta: TestHost;
/** The system, the profile and the boot default of a host before Firn. */
let before: string;

const content = newCanary();
const path = '/run/keys/licence';
const files = [{ path, secretRef: { name: 'licence', key: 'text' }, restartUnits: ['app.service'] }];
const app = {
  inline: `{ pkgs, ... }: {
  systemd.services.app = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig.ExecStart = "\${pkgs.coreutils}/bin/sleep infinity";
  };
}
`,
};
const slow = {
  inline: `{ pkgs, ... }: {
  environment.etc.slow.source = pkgs.runCommand "slow" { } "\${pkgs.coreutils}/bin/sleep 100; echo slow >$out";
}
`,
};

beforeAll(async () => {
  booted = await startBooted({ names: ['alpha', 'beta'] });
  [alpha, beta] = booted.hosts as [TestHost, TestHost];
  before = await systems(alpha);
  await apply(booted.cluster, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'licence', namespace },
    stringData: { text: content },
  });
}, 600_000);

afterAll(async () => {
  await booted?.[Symbol.asyncDispose]();
}, 60_000);

const say = async (host: TestHost, script: string): Promise<string> =>
  (await host.run(script, { allowFailure: true })).stdout.trim();

/** What runs, what the profile has, and what a boot would enter. */
const systems = (host: TestHost): Promise<string> =>
  say(
    host,
    'readlink -f /run/current-system /nix/var/nix/profiles/system; cat /boot/firn-loader/default | xargs readlink -f',
  );

/** Everything by which one could see that Firn was there. */
const traces = (host: TestHost): Promise<string> =>
  say(
    host,
    `ls -d /var/lib/firn /var/lib/firn.removed /run/firn /nix/var/nix/gcroots/firn ${path} /nix/var/nix/profiles/system-profiles/firn-trial* 2>/dev/null
    systemctl list-units --all --plain --no-legend 'firn*' 'app*'
    ls /run/systemd/transient /run/systemd/system | grep firn`,
  );

const remove = async (name: string, words: string[] = ['--timeout=60s']) => {
  const deleted = await booted.cluster.kubectl(['delete', 'nixnode', '-n', namespace, name, ...words]);
  expect(deleted.stderr).toBe('');
};

test('Orphan leaves a host as it is', async () => {
  await apply(booted.cluster, bootedNode(alpha, { modules: [app], files }));
  await waitForNode(booted.cluster, 'alpha', 'Ready', isReady, 60_000);
  const running = await systems(alpha);
  expect(running).not.toBe(before);
  await remove('alpha');

  expect(await systems(alpha)).toBe(running);
  expect(await say(alpha, `systemctl is-active app; cat ${path}`)).toBe(`active\n${content}`);
  await alpha.reboot();
  expect(await systems(alpha)).toBe(running);
  expect(await say(alpha, `systemctl is-active app; cat ${path}`)).toBe(`active\n${content}`);
});

test('another installation takes it over without being told to', async () => {
  await booted.operator?.stop();
  await booted.cluster.kubectl(['delete', 'secret', '-n', 'firn-system', 'firn-installation']);
  booted.operator = await startFirn(booted.cluster);
  const changed = { modules: [app], files, deletionPolicy: 'Reset' };
  await apply(booted.cluster, bootedNode(alpha, changed));
  await waitForNode(booted.cluster, 'alpha', 'Ready', isReady, 60_000);
});

test('Reset takes Firn and what it brought off the host', async () => {
  await remove('alpha');
  expect(await systems(alpha)).toBe(before);
  expect(await traces(alpha)).toBe('');
  expect(await alpha.reachable()).toBe(true);
  expect((await waitForEvent(booted.cluster, 'alpha', 'Reset')).type).toBe('Normal');
  await alpha.reboot();
  expect(await systems(alpha)).toBe(before);
  expect(await traces(alpha)).toBe('');
});

test('Reset ends a build, and goes on when the operator does not', async () => {
  const policy = { deletionPolicy: 'Reset' };
  await apply(booted.cluster, bootedNode(beta, { modules: [app], files, ...policy }));
  await waitForNode(booted.cluster, 'beta', 'Ready', isReady, 60_000);
  await apply(booted.cluster, bootedNode(beta, { modules: [app, slow], files, ...policy }));
  const isBuilding = (node: Parameters<typeof conditionOf>[0]) =>
    conditionOf(node, 'Ready')?.reason === 'Building';
  await waitForNode(booted.cluster, 'beta', 'building', isBuilding, 60_000);
  expect(await say(beta, 'systemctl is-active firn-build')).toBe('active');

  await remove('beta', ['--wait=false']);
  await waitForNode(
    booted.cluster,
    'beta',
    'the reset',
    (node) => conditionOf(node, 'Ready')?.reason === 'Finalizing',
  );
  await booted.operator?.stop();
  booted.operator = await startFirn(booted.cluster);
  const wait = ['wait', '--for=delete', 'nixnode/beta', '-n', namespace, '--timeout=60s'];
  expect(await booted.cluster.kubectl(wait)).toMatchObject({ code: 0 });
  expect(await systems(beta)).toBe(before);
  expect(await traces(beta)).toBe('');
});

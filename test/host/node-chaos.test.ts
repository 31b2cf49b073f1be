/** Hosts that boot, and what happens to them, their network and the operator in the middle of a release. */
import { type Booted, bootedNode, startBooted } from '../support/booted.ts';
import { apply, conditionOf, isReady, isStalled, waitForNode } from '../support/fleet.ts';
import type { TestHost } from '../support/hosts/test-host.ts';
import { type LoneOperator, startLoneOperator } from '../support/lone-operator.ts';

let booted: Booted;
let operator: LoneOperator;
let successor: LoneOperator | undefined;
let [alpha, beta, gamma]: TestHost[] = [];

beforeAll(async () => {
  booted = await startBooted({ names: ['alpha', 'beta', 'gamma'], operator: 'later' });
  [alpha, beta, gamma] = booted.hosts;
  operator = await startLoneOperator(booted.cluster);
  await Promise.all(booted.hosts.map((host) => deploy(host, 1)));
}, 600_000);

afterAll(async () => {
  await operator?.[Symbol.asyncDispose]();
  await successor?.[Symbol.asyncDispose]();
  await booted?.[Symbol.asyncDispose]();
}, 60_000);

/** Parts of a release that take so many seconds. */
type Slow = { activation?: number; build?: number };

const slowActivation = (seconds: number) => `systemd.services.dawdler = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig.Type = "oneshot";
    serviceConfig.RemainAfterExit = true;
    serviceConfig.ExecStart = "\${pkgs.coreutils}/bin/sleep ${seconds}";
  };`;

const slowBuild = (seconds: number) =>
  `environment.etc.slow.source = pkgs.runCommand "slow" { } "sleep ${seconds}; echo >$out";`;

/** A unit that tells which version runs. */
const versionOf = (version: number, { activation, build }: Slow): object => ({
  inline: `{ pkgs, ... }: {
  systemd.services.marker = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig.ExecStart = "\${pkgs.coreutils}/bin/sleep infinity";
    environment.VERSION = "v${version}";
  };
  ${activation === undefined ? '' : slowActivation(activation)}
  ${build === undefined ? '' : slowBuild(build)}
}
`,
});

const want = (host: TestHost, version: number, slow: Slow = {}, deploy: object = {}): Promise<void> =>
  apply(booted.cluster, bootedNode(host, { modules: [versionOf(version, slow)], deploy }));

/** As soon as a host may take a release back that nobody confirms. */
const soon = { confirmWithin: '10s' };

async function deploy(host: TestHost, version: number): Promise<void> {
  await want(host, version);
  await expectReady(host, version);
}

/** The version is confirmed, runs, and is what a boot comes back to. */
async function expectReady(host: TestHost, version: number, withinMs = 120_000): Promise<void> {
  const node = await waitForNode(booted.cluster, host.name, 'Ready', isReady, withinMs);
  const { desired } = node.status!.release!;
  expect(node.status!.release).toMatchObject({ current: desired, confirmed: desired });
  await expectWhole(host, version);
}

async function expectWhole(host: TestHost, version: number): Promise<void> {
  const { stdout } = await host.run(`
    cd /var/lib/firn
    [ "$(readlink current)" = "$(readlink confirmed)" ] && echo current
    [ "$(readlink -f /run/current-system)" = "$(readlink -f /nix/var/nix/profiles/system)" ] && echo default
    [ -z "$(systemctl list-units --plain --no-legend 'firn-revert-*' 'firn-activate-*')" ] && echo quiet
    systemctl is-active marker; systemctl show --value -p Environment marker`);
  const lines = stdout.trim().split('\n');
  expect(lines).toEqual([
    'current',
    'default',
    'quiet',
    'active',
    expect.stringContaining(`VERSION=v${version}`),
  ]);
  expect(await host.reachable()).toBe(true);
}

/** Looks from inside, so as not to miss what lasts a moment. */
const until = (host: TestHost, file: 'trial' | 'jobs/build', state: string) =>
  host.run(
    `tries=0
    until grep -qsx 'state ${state}' /var/lib/firn/${file}; do
      tries=$((tries + 1)); [ $tries -lt 3000 ] || exit 1; sleep 0.03
    done`,
    { timeoutMs: 120_000 },
  );

const notConfirmed = async (host: TestHost) => {
  const node = await waitForNode(booted.cluster, host.name, 'stalled', isStalled('NotConfirmed'), 90_000);
  expect(conditionOf(node, 'Applied')).toMatchObject({ status: 'False', reason: 'NotConfirmed' });
};

test('an operator that dies in an activation and in a trial, and stays away: both hosts go back', async () => {
  await want(alpha!, 2, { activation: 15 }, soon);
  await until(alpha!, 'trial', 'Activating');
  await want(beta!, 2, {}, soon);
  await until(beta!, 'trial', 'AwaitingConfirmation');
  await operator.kill();
  expect((await alpha!.run('cat /var/lib/firn/trial')).stdout).toContain('state Activating');

  for (const host of [alpha!, beta!]) {
    await until(host, 'trial', 'Reverted');
    await expectWhole(host, 1);
  }
  operator = await startLoneOperator(booted.cluster);
  for (const host of [alpha!, beta!]) {
    await notConfirmed(host);
    await expectWhole(host, 1);
  }
  await Promise.all([alpha!, beta!].map((host) => deploy(host, 3)));
}, 180_000);

test('power cuts in a build and in an activation, and a network that is gone during a trial', async () => {
  await Promise.all([powerCutInBuild(alpha!), powerCutInActivation(beta!), networkGoneInTrial(gamma!)]);
}, 240_000);

async function powerCutInBuild(host: TestHost): Promise<void> {
  await want(host, 4, { build: 8 });
  await until(host, 'jobs/build', 'Running');
  await host.powerCut();
  await host.powerOn();
  await expectWhole(host, 3);
  await expectReady(host, 4);
}

async function powerCutInActivation(host: TestHost): Promise<void> {
  const { stdout: good } = await host.run('readlink -f /nix/var/nix/profiles/system');
  await want(host, 4, { activation: 4 });
  await until(host, 'trial', 'Activating');
  await host.powerCut();
  await host.powerOn();
  expect((await host.run('readlink -f /run/booted-system')).stdout).toBe(good);
  await expectReady(host, 4);
}

async function networkGoneInTrial(host: TestHost): Promise<void> {
  await want(host, 4, { activation: 4 }, soon);
  await until(host, 'trial', 'Activating');
  await host.cutNetwork();
  await until(host, 'trial', 'AwaitingConfirmation');
  await until(host, 'trial', 'Reverted');
  await host.restoreNetwork();
  await notConfirmed(host);
  await expectWhole(host, 1);
  await deploy(host, 5);
}

test('an operator that was replaced and comes back is refused, and deploys nothing', async () => {
  operator.freeze();
  successor = await startLoneOperator(booted.cluster);
  await deploy(gamma!, 6);
  successor.freeze();
  operator.thaw();
  await want(gamma!, 7);
  const node = await waitForNode(booted.cluster, 'gamma', 'stalled', isStalled('Fenced'), 60_000);
  expect(conditionOf(node, 'Ready')?.message).toMatch(/newer operator/);
  expect(operator.log()).toContain('"reason":"Fenced"');
  await expectWhole(gamma!, 6);
  successor.thaw();
  await expectReady(gamma!, 7);
}, 180_000);

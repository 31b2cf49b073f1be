/** Changes that would cost the host something: it goes back by itself, and kubectl says why. */
import { type Booted, bootedNode, startBooted } from '../support/booted.ts';
import { apply, conditionOf, getNode, isReady, waitForNode } from '../support/fleet.ts';

let booted: Booted;
let good: string | undefined;

beforeAll(async () => {
  booted = await startBooted({ names: ['alpha'] });
  const [alpha] = booted.hosts;
  await apply(booted.cluster, bootedNode(alpha!));
  const node = await waitForNode(booted.cluster, 'alpha', 'Ready', isReady, 60_000);
  good = node.status?.release?.confirmed;
}, 600_000);

afterAll(async () => {
  await booted?.[Symbol.asyncDispose]();
}, 60_000);

type Case = { name: string; module: string; reason: string; condition: 'Built' | 'Applied'; says: RegExp };

const cases: Case[] = [
  {
    name: 'stops sshd',
    module: `{ pkgs, ... }: {
  systemd.services.saboteur = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig = { Type = "oneshot"; RemainAfterExit = true; ExecStart = "\${pkgs.systemd}/bin/systemctl stop sshd.service"; };
  };
}`,
    reason: '(UnitsFailed|NotConfirmed)',
    condition: 'Applied',
    says: /sshd|reach|confirm/,
  },
  {
    name: 'breaks the network',
    module: `{ systemd.network.networks."10-host0" = { matchConfig.Name = "host0"; address = [ "192.0.2.99/32" ]; }; }`,
    reason: 'NotConfirmed',
    condition: 'Applied',
    says: /confirm/,
  },
  {
    name: 'has a unit that fails at start',
    module: `{ pkgs, ... }: {
  systemd.services.doomed = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig.ExecStart = "\${pkgs.bash}/bin/bash -c 'echo out of luck >&2; exit 3'";
    serviceConfig.Type = "oneshot";
  };
}`,
    reason: '(UnitsFailed|ActivationFailed)',
    condition: 'Applied',
    says: /doomed[\s\S]*out of luck|out of luck/,
  },
  {
    name: 'does not evaluate',
    module: '{ services.opensh.enable = true; }',
    reason: 'EvaluationFailed',
    condition: 'Built',
    says: /services\.opensh.* does not exist/,
  },
  {
    name: 'does not build',
    module: `{ pkgs, ... }: {
  environment.etc.broken.source = pkgs.runCommand "broken" { } "echo no such luck; exit 1";
}`,
    reason: 'BuildFailed',
    condition: 'Built',
    says: /no such luck/,
  },
];

test.each(cases)('a module that $name', async ({ module, reason, condition, says }) => {
  const [alpha] = booted.hosts;
  const confirmWithin = 20;
  const deploy = { confirmWithin: `${confirmWithin}s` };
  await apply(booted.cluster, bootedNode(alpha!, { deploy, modules: [{ inline: module }] }));
  const matches = new RegExp(`^${reason}$`);
  const stalled = (node: Parameters<typeof conditionOf>[0]) =>
    conditionOf(node, 'Stalled')?.status === 'True' && matches.test(conditionOf(node, 'Ready')?.reason ?? '');
  const node = await waitForNode(booted.cluster, 'alpha', `stalled: ${reason}`, stalled, 120_000);
  expect(conditionOf(node, condition)).toMatchObject({
    status: 'False',
    message: expect.stringMatching(says),
  });
  expect(node.status?.release).toMatchObject({ current: good, confirmed: good });
  expect(await alpha!.reachable()).toBe(true);

  // Not tried again: nothing on the host moves until something changes.
  const trial = node.status?.trial;
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  expect((await getNode(booted.cluster, 'alpha')).status?.trial).toEqual(trial);

  await apply(booted.cluster, bootedNode(alpha!));
  await waitForNode(booted.cluster, 'alpha', 'Ready again', isReady, 60_000);
});

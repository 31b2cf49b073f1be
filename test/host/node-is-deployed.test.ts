/** From kubectl apply to a booted host, and what a change costs. */
import type { NixNode } from '../../crds/index.ts';
import { type Booted, bootedNode, startBooted } from '../support/booted.ts';
import { apply, getNode, isReady, namespace, waitForNode } from '../support/fleet.ts';
import { waitFor } from '../support/wait.ts';

let booted: Booted;

beforeAll(async () => {
  booted = await startBooted({ names: ['alpha'] });
}, 600_000);

afterAll(async () => {
  await booted?.[Symbol.asyncDispose]();
}, 60_000);

const service = (name: string, words: string): { inline: string } => ({
  inline: `{ pkgs, ... }: {
  systemd.services.${name} = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig.ExecStart = "\${pkgs.coreutils}/bin/sleep infinity";
    environment.WORDS = "${words}";
  };
}
`,
});

const mainPid = async (unit: string): Promise<string> => {
  const { stdout } = await booted.hosts[0]!.run(`systemctl show --value -p MainPID ${unit}`);
  return stdout.trim();
};

test('a bare host is Ready within 30 seconds', async () => {
  const [alpha] = booted.hosts;
  const before = Date.now();
  await apply(
    booted.cluster,
    bootedNode(alpha!, { modules: [service('first', 'a'), service('second', 'a')] }),
  );
  const node = await waitForNode(booted.cluster, 'alpha', 'Ready', isReady, 60_000);
  const seconds = (Date.now() - before) / 1000;
  console.info(`Ready after ${seconds.toFixed(1)} s`);
  expect(seconds).toBeLessThan(30);
  expect(node.status).toMatchObject({ summary: 'Healthy', nixosVersion: expect.stringContaining('26.05') });
  expect(await mainPid('first')).not.toBe('0');
});

test('a change restarts what it is about and nothing else', async () => {
  const [alpha] = booted.hosts;
  const [first, second] = [await mainPid('first'), await mainPid('second')];
  await apply(
    booted.cluster,
    bootedNode(alpha!, { modules: [service('first', 'a'), service('second', 'b')] }),
  );
  await waitForNode(booted.cluster, 'alpha', 'Ready', isReady, 60_000);
  expect(await mainPid('first')).toBe(first);
  expect(await mainPid('second')).not.toBe(second);
});

test('a file from a Secret arrives, and its change restarts its unit without a build', async () => {
  const [alpha] = booted.hosts;
  const licence = (text: string) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'licence', namespace },
    stringData: { 'licence.txt': text },
  });
  const spec = {
    modules: [service('first', 'a'), service('second', 'b')],
    files: [
      {
        path: '/run/keys/licence',
        secretRef: { name: 'licence', key: 'licence.txt' },
        restartUnits: ['first.service'],
      },
    ],
  };
  await apply(booted.cluster, licence('canary-one'), bootedNode(alpha!, spec));
  await waitForNode(booted.cluster, 'alpha', 'Ready', isReady, 60_000);
  const content = async () => (await alpha!.run('cat /run/keys/licence')).stdout;
  expect(await content()).toBe('canary-one');

  const builds = async () =>
    (await alpha!.run('journalctl -u firn-build --no-pager | grep -c Started')).stdout.trim();
  const [first, before] = [await mainPid('first'), await builds()];
  const former = (await getNode(booted.cluster, 'alpha')).status?.release?.confirmed;
  const changedAt = Date.now();
  await apply(booted.cluster, licence('canary-two'));
  await waitFor('the new content', async () => (await content()) === 'canary-two', { withinMs: 15_000 });
  console.info(`a changed Secret arrived after ${Date.now() - changedAt} ms`);
  // Ready goes on being true until the operator has said that something is under way.
  const isConfirmed = (node: NixNode) => isReady(node) && node.status?.release?.confirmed !== former;
  await waitForNode(booted.cluster, 'alpha', 'confirmed', isConfirmed, 30_000);
  expect(await mainPid('first')).not.toBe(first);
  expect(await builds()).toBe(before);
});

test('what was delivered is there after a restart without the operator', async () => {
  const [alpha] = booted.hosts;
  await booted.operator?.stop();
  booted.operator = null;
  await alpha!.reboot();
  expect((await alpha!.run('cat /run/keys/licence')).stdout).toBe('canary-two');
});

/**
 * Hosts that boot, and cannot be deployed to: what kubectl says of them. The clock of a container is that of its machine,
 * so a wrong one is played by what tells the host program the time; test/api/node-failures.test.ts has all other reasons.
 */
import type { NixNode } from '../../crds/index.ts';
import { type Booted, bootedNode, startBooted } from '../support/booted.ts';
import { apply, conditionOf, isReady, namespace, sshKeySecret, waitForNode } from '../support/fleet.ts';
import { expectHonestStatus } from '../support/honest-status.ts';
import type { TestHost } from '../support/hosts/start.ts';
import { generateSshKey, strangerKey } from '../support/ssh-keys.ts';

let booted: Booted;
let alpha: TestHost;

beforeAll(async () => {
  booted = await startBooted({ names: ['alpha'] });
  alpha = booted.hosts[0]!;
  await apply(booted.cluster, sshKeySecret(strangerKey.private, 'stranger-key'));
}, 600_000);

afterAll(async () => {
  await booted?.[Symbol.asyncDispose]();
}, 60_000);

type Named = { metadata: { name: string; annotations?: object }; spec: { ssh: object } };

/** The node of the host under a name, with another login than the one that is right. */
function nodeWith(name: string, ssh: object, annotations: object = {}): object {
  const node = bootedNode(alpha) as Named;
  const metadata = { ...node.metadata, name, annotations };
  return { ...node, metadata, spec: { ...node.spec, ssh: { ...node.spec.ssh, ...ssh } } };
}

/** Waits for the reason and its words: the reason alone may be that of what was before. */
async function expectFailing(name: string, reason: string, says: RegExp, kind = 'Stalled'): Promise<void> {
  const failed = (node: NixNode) => {
    const ready = conditionOf(node, 'Ready');
    return ready?.reason === reason && says.test(ready.message);
  };
  const node = await waitForNode(booted.cluster, name, `${reason}: ${says}`, failed, 45_000);
  expectHonestStatus(node);
  expect(conditionOf(node, kind)?.status).toBe('True');
}

let looks = 0;
/** Has the host looked at now, not when it is due. */
const look = () => apply(booted.cluster, nodeWith('alpha', {}, { look: String(looks++) }));

const logins = async (): Promise<string> =>
  (await alpha.run('journalctl -u sshd --no-pager | grep -c Accepted', { allowFailure: true })).stdout.trim();

test('another host key: nothing is sent', async () => {
  const other = generateSshKey().public;
  await apply(booted.cluster, nodeWith('alpha', { hostKeys: [other] }));
  const says = /expected SHA256:\S+ \(ssh-ed25519\), it shows SHA256:\S+\. Nothing was sent/;
  await expectFailing('alpha', 'HostKeyMismatch', says);
  expect(await logins()).toBe('0');
  expect((await alpha.run('ls /var/lib')).stdout).not.toContain('firn');
});

test('another key, another user, and a user who may not become root', async () => {
  await alpha.run(`set -eu
useradd --create-home --shell /bin/sh asks
mkdir /home/asks/.ssh
cp /root/.ssh/authorized_keys /home/asks/.ssh/
chown -R asks /home/asks`);
  await apply(
    booted.cluster,
    nodeWith('stranger', { keyRef: { name: 'stranger-key' } }),
    nodeWith('nobody', { user: 'nobody-here' }),
    nodeWith('asks', { user: 'asks' }),
  );
  const line = strangerKey.public.replaceAll('+', '\\+');
  const addIt = new RegExp(`add the public half to its authorized keys there: ${line}`);
  await expectFailing('stranger', 'AuthenticationFailed', addIt);
  await expectFailing('nobody', 'AuthenticationFailed', /does not let nobody-here in/);
  await expectFailing('asks', 'SudoRefused', /sudo on asks@.* refused: .*password.*NOPASSWD/s);
  const names = ['stranger', 'nobody', 'asks'];
  await booted.cluster.kubectl(['delete', 'nixnode', '-n', namespace, ...names, '--timeout=60s']);
});

test('no Nix', async () => {
  await alpha.run('mount --bind /dev/null "$(readlink -f "$(command -v nix)")"');
  await look();
  await expectFailing('alpha', 'NoNix', /nix is not in PATH \(.*\)\. Install Nix 2\.8 or newer/s);
  await alpha.run('umount "$(readlink -f /run/current-system/sw/bin/nix)"');
});

test.each([
  [
    'the program',
    '/var/lib/firn/bin',
    /\/var\/lib\/firn\/bin on root@.* cannot be written: .*[Nn]o space left/,
  ],
  ['a release', '/var/lib/firn/parts', /does not fit on the disk of \/var\/lib\/firn\. Free some space/],
])('a disk that is too full for %s', async (_, path, says) => {
  await alpha.run(`mkdir -p ${path}; mount -t tmpfs -o size=8k,mode=755 tmpfs ${path}`);
  await look();
  await expectFailing('alpha', 'DiskFull', says);
  await alpha.run(`umount ${path}`);
});

test('a clock that is wrong, until it is set: then the node becomes Ready by itself', async () => {
  const date = '/run/wrappers/bin/date';
  const real = '/run/current-system/sw/bin/date';
  await alpha.run(
    `printf '#!/bin/sh\\nexec ${real} -d @$(($(${real} +%%s) - 7200)) "$@"\\n' >${date}; chmod 755 ${date}`,
  );
  await look();
  const says = /clock is about 120 minutes behind the operator's; set it \(timedatectl set-time/;
  await expectFailing('alpha', 'ClockSkewed', says, 'Reconciling');
  await alpha.run(`rm ${date}`);
  const node = await waitForNode(booted.cluster, 'alpha', 'Ready', isReady, 90_000);
  // What was missing for a while is not remembered as missing.
  expect(node.status?.facts?.nixVersion).toMatch(/^2\./);
});

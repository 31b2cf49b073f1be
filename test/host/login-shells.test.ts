/** The shell on the other side, whatever it is, who it belongs to, and whatever it prints. */
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { systemClock } from '../../controllers/lib/core/clock.ts';
import { Sealed } from '../../controllers/lib/core/sealed.ts';
import type { Host, Hosts } from '../../controllers/lib/host/host.ts';
import { createHosts } from '../../controllers/lib/host/hosts.ts';
import { defaultLimits } from '../../controllers/lib/host/limits.ts';
import type { HostRequest } from '../../controllers/lib/host/protocol.ts';
import { startHosts, type TestHost, type TestHosts } from '../support/hosts/start.ts';
import { probeProgram } from '../support/probe-program.ts';

/** Users as they are found: a login shell each, files that talk, and sudo or not. */
const makeUsers = `set -eu
cat >/usr/local/bin/noisy <<'END'
#!/bin/sh
printf '\\033[1mWelcome to \\377 fish\\033[0m\\n\\nFIRN-0000 end 0\\n{"ok":true}\\nno newline at the end'
eval "$2"
printf 'bye\\nFIRN-0000 end 0\\n'
END
cp /bin/busybox /usr/local/bin/ash
cp /bin/dash /usr/local/bin/true-dash
chmod 755 /usr/local/bin/noisy
user() {
  useradd --create-home --shell "$2" "$1"
  mkdir "/home/$1/.ssh"
  cp /root/.ssh/authorized_keys "/home/$1/.ssh/"
  chown -R "$1:$1" "/home/$1"
}
user in-bash /bin/bash
printf 'echo "rc file speaks"; printf unfinished; (sleep 0.2; echo late) & \\n' >/home/in-bash/.bashrc
user in-noise /usr/local/bin/noisy
user in-ash /usr/local/bin/ash
user no-login /usr/sbin/nologin
user no-sudo /bin/sh
for name in in-bash in-noise in-ash; do echo "$name ALL=(root) NOPASSWD: /bin/sh" >"/etc/sudoers.d/$name"; done
ssh-keygen -q -t rsa -b 3072 -N '' -f /etc/ssh/ssh_host_rsa_key
ssh-keygen -q -t ecdsa -N '' -f /etc/ssh/ssh_host_ecdsa_key
printf 'HostKey /etc/ssh/ssh_host_%s_key\\n' ed25519 rsa ecdsa >/etc/ssh/sshd_config.d/keys.conf
systemctl restart ssh
`;

let fleet: TestHosts;
let machine: TestHost;
let hosts: Hosts;

const at = (user: string, hostKeys = [machine.hostKey], privateKey = adminKey()): Host =>
  hosts.at({
    poolKey: `${user} ${hostKeys[0]}`,
    host: machine.address,
    port: machine.port,
    user,
    privateKey: new Sealed(privateKey),
    hostKeys,
    trustFirstKey: false,
  });
const adminKey = (): string => readFileSync(machine.adminKeyFile, 'utf8');
const options = (deadlineMs = 20_000) => ({ signal: new AbortController().signal, deadlineMs });
const ask = async (host: Host, script: string, deadlineMs?: number): Promise<string> =>
  (await host.call('log', { what: script, lines: 1 }, options(deadlineMs))).textB64;

beforeAll(async () => {
  fleet = await startHosts({ count: 1, flavour: 'debian' });
  machine = fleet.hosts[0]!;
  await machine.run(makeUsers);
  await machine.waitReachable();
});
afterAll(() => fleet?.stop());
beforeEach(() => {
  hosts = createHosts({ clock: systemClock, program: probeProgram, limits: defaultLimits });
});
afterEach(() => hosts.close());

const shells = [
  { name: 'dash', file: '/usr/local/bin/true-dash' },
  { name: 'bash', file: '/usr/bin/bash' },
  { name: 'busybox ash', file: '/usr/local/bin/ash' },
];

describe.each(shells)('with $name as /bin/sh', ({ file }) => {
  const use = (target: string) => machine.run(`ln -s ${target} /bin/sh.new && mv -f /bin/sh.new /bin/sh`);
  beforeAll(() => use(file));
  afterAll(() => use('/usr/local/bin/true-dash'));

  test.each(['root', 'in-bash', 'in-noise', 'in-ash'])(
    '%s runs the program as root, in known surroundings',
    async (user) => {
      await machine.run('rm -rf /var/lib/firn');
      const said = await ask(
        at(user),
        'readlink -f /proc/$$/exe; id -u; umask; pwd; echo "$PATH"; echo "$LC_ALL $TERM $SYSTEMD_PAGER $#"; cat',
      );
      expect(said).toBe(
        `${file}\n0\n0077\n/\n/run/wrappers/bin:/run/current-system/sw/bin:/nix/var/nix/profiles/default/bin:` +
          '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\nC dumb cat 1\n',
      );
    },
  );

  test.each(['root', 'in-noise', 'in-ash'])('a payload reaches %s byte for byte', async (user) => {
    const payload = randomBytes(2_500_000);
    const sha256 = createHash('sha256').update(payload).digest('hex');
    await expect(at(user).call('stage', stageOf(payload), options())).rejects.toMatchObject({
      refusal: 'Failed',
      message: sha256,
    });
  });
});

const stageOf = (payload: Uint8Array): HostRequest<'stage'> => ({
  installation: 'a',
  fence: 1,
  id: 'a',
  system: 'a',
  data: 'a',
  secrets: 'a',
  dataFormat: 1,
  secretsFormat: 1,
  manifest: '',
  payloadSha256: 'a',
  payloadBytes: payload.length,
  payload,
});

test('sudo that wants a password is told in its own words, with what to write', async () => {
  const error = await ask(at('no-sudo'), 'id').catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: 'SudoRefused' });
  expect(String(error)).toContain('sudo: a password is required');
  expect(String(error)).toContain('no-sudo ALL=(root) NOPASSWD: /bin/sh');
});

test('an account that may not log in is told in its own words', async () => {
  const error = await ask(at('no-login'), 'id').catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: 'ShellUnusable' });
  expect(String(error)).toContain('This account is currently not available');
});

test.each(['ed25519', 'rsa', 'ecdsa'])(
  'a host with several keys matches its %s key when only that is pinned',
  async (type) => {
    const { stdout } = await machine.run(`cut -d' ' -f1,2 /etc/ssh/ssh_host_${type}_key.pub`);
    const host = at('root', [stdout.trim()]);
    expect(await ask(host, 'echo here')).toBe('here\n');
    expect(host.hostKey).toBe(stdout.trim());
  },
);

test.each(['rsa -m PEM', 'rsa', 'ecdsa', 'ecdsa -m PEM'])(
  'logs in with a private key of ssh-keygen -t %s',
  async (kind) => {
    const { stdout } = await machine.run(
      `rm -f /tmp/k /tmp/k.pub; ssh-keygen -q -N '' -f /tmp/k -t ${kind} && cat /tmp/k.pub >>/root/.ssh/authorized_keys && cat /tmp/k`,
    );
    expect(await ask(at('root', undefined, stdout), 'echo here')).toBe('here\n');
  },
);

test('a program that was damaged on the disk is laid down again, others are kept', async () => {
  const file = `/var/lib/firn/bin/${probeProgram.hash}`;
  await ask(at('root'), 'true');
  await machine.run(`echo 'echo evil' >>${file}; echo other >/var/lib/firn/bin/${'0'.repeat(64)}`);
  expect(await ask(at('root'), 'echo mended')).toBe('mended\n');
  const { stdout } = await machine.run(
    'cd /var/lib/firn/bin && ls -A && stat -c "%a %U" "$1"'.replace('"$1"', file),
  );
  expect(stdout.trim().split('\n')).toEqual([...['0'.repeat(64), probeProgram.hash].sort(), '700 root']);
});

test.each([
  { how: 'mount -t tmpfs -o ro none /var/lib/firn', refusal: 'NotPersistent', words: 'Read-only' },
  {
    how: 'mount -t tmpfs -o size=16k none /var/lib/firn && head -c 16000 /dev/zero >/var/lib/firn/full; true',
    refusal: 'DiskFull',
    words: 'No space left',
  },
])('a host where the program cannot be laid down: $refusal', async ({ how, refusal, words }) => {
  await machine.run(`mkdir -p /var/lib/firn; ${how}`);
  try {
    const error = await ask(at('root'), 'true').catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'Refused', refusal });
    expect(String(error)).toContain(words);
  } finally {
    await machine.run('umount /var/lib/firn');
  }
});

test('a program that does not answer is a violation, and its error is shown only where no secrets went in', async () => {
  const error = await ask(at('root'), 'garbage').catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: 'ProtocolViolation' });
  expect(String(error)).toContain('exit status 7');
  expect(String(error)).toContain('those words');
});

test('a program that takes too long costs the call, not the connection', async () => {
  const host = at('root');
  await expect(ask(host, 'sleep 30', 700)).rejects.toMatchObject({ code: 'DeadlineExceeded' });
  expect(await ask(host, 'echo next')).toBe('next\n');
});

test('what a host prints is bounded', async () => {
  const error = await ask(at('root'), 'head -c 9000000 /dev/zero').catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: 'ProtocolViolation' });
});

/**
 * Virtual machines: the stand-in for NixOS on a kernel of Debian's, for what the kernel of the machine that runs the tests
 * may not have. Without KVM, by qemu's translator: some fifteen times slower than a container, so there are few tests.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execute, type Finished, waitFor } from '../hosts/command.ts';
import { flavours } from '../hosts/flavour.ts';
import type { Layer } from '../hosts/layer.ts';
import { ofMachines, requireHostTools } from '../hosts/requirements.ts';
import { findIn } from '../secrets/forms.ts';
import { guard, keepSecret } from '../secrets/registry.ts';
import { type Disk, disk } from './disk.ts';
import { system } from './system.ts';

export type Vm = {
  /** Of loopback; the machine's own way to anywhere else is closed. */
  readonly address: string;
  readonly port: number;
  /** As in known_hosts. */
  readonly hostKey: string;
  /** A private key that root's account lets in. */
  readonly privateKey: string;
  /** Runs a shell script in it as root. */
  run(script: string, options?: { timeoutMs?: number; allowFailure?: boolean }): Promise<Finished>;
  stop(): Promise<void>;
};

/** Where secrets could get to in it: the journal, arguments of processes, the disk. */
const wherever = `journalctl --no-pager -o export
cat /proc/[0-9]*/cmdline 2>/dev/null
find /var/lib /var/log /root /tmp -type f ! -path '*/journal/*' -exec cat {} +`;

const path = '/run/wrappers/bin:/run/current-system/sw/bin';

/** What `startVm` makes and keeps: minutes the first time. */
export async function prepareVm(module: string): Promise<{ disk: Disk; system: Layer }> {
  if (process.arch !== 'x64')
    throw new Error('virtual machines of tests are x86_64 and need a machine of that kind');
  await requireHostTools(ofMachines);
  return { disk: await disk(), system: await system(module) };
}

/** Boots a machine with Firn's modules and the one given. Resolves when ssh answers; nothing of it outlives this process. */
export async function startVm(module: string): Promise<Vm> {
  const made = await prepareVm(module);
  const folder = mkdtempSync(join(tmpdir(), 'firn-vm-'));
  const port = await freePort();
  const consoleFile = join(folder, 'console.log');
  let qemu: ChildProcess | undefined;
  let searched = async (): Promise<void> => {};
  const stop = async (): Promise<void> => {
    await searched();
    const ended = new Promise((resolve) => qemu?.once('exit', resolve) ?? resolve(null));
    if (qemu?.exitCode === null && qemu.kill('SIGKILL')) await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await makeKey(join(folder, 'admin'), 'firn-tests');
    await makeKey(join(folder, 'host'), 'vm');
    const privateKey = readFileSync(join(folder, 'admin'), 'utf8');
    keepSecret('the login key of a virtual machine', privateKey);
    await writeOwnDisk(made.system, folder);
    qemu = boot(made.disk, folder, port, consoleFile);
    const run = shellIn(folder, port);
    const isUp = async (): Promise<boolean> => {
      if (qemu?.exitCode !== null) throw new Error('the virtual machine ended');
      return (
        (await run('true', { timeoutMs: 30_000, allowFailure: true }).catch(() => undefined))?.code === 0
      );
    };
    if (!(await waitFor(isUp, { timeoutMs: 300_000, everyMs: 1_000 }))) throw new Error('it does not answer');
    searched = guard({
      name: 'a virtual machine',
      search: async (patterns) => findIn(patterns, (await run(wherever, { timeoutMs: 120_000 })).stdout),
    });
    const hostKey = readFileSync(join(folder, 'host.pub'), 'utf8').split(' ').slice(0, 2).join(' ');
    return { address: '127.0.0.1', port, hostKey, privateKey, run, stop };
  } catch (cause) {
    const console = readFileSync(consoleFile, { encoding: 'latin1', flag: 'a+' }).slice(-3_000);
    await stop();
    throw new Error(`the virtual machine did not boot; its console ends with:\n${console}`, { cause });
  }
}

/** The layers that are not on the disk, and what is this machine's alone: a tar archive in place of a disk. */
async function writeOwnDisk(top: Layer, folder: string): Promise<void> {
  const own = join(folder, 'own');
  mkdirSync(own, { mode: 0o755 });
  await copyLayers(top, own);
  for (const place of ['boot/firn-loader', 'var/lib/persist-etc'])
    mkdirSync(join(own, place), { recursive: true });
  flavours.nixos.personalise(own, {
    name: 'vm',
    machineId: randomUUID().replaceAll('-', ''),
    network: '[Match]\nName=eth0\n[Network]\nAddress=10.0.2.15/24\n',
    hostKey: {
      secret: readFileSync(join(folder, 'host'), 'utf8'),
      public: readFileSync(join(folder, 'host.pub'), 'utf8'),
    },
  });
  writeFileSync(join(own, 'var/lib/persist-etc/hostname'), 'vm\n');
  mkdirSync(join(own, 'root/.ssh'), { recursive: true, mode: 0o700 });
  writeFileSync(join(own, 'root/.ssh/authorized_keys'), readFileSync(join(folder, 'admin.pub')), {
    mode: 0o600,
  });
  await execute('tar', ['-C', own, '-cf', join(folder, 'own.tar'), '.'], { timeoutMs: 60_000 });
  rmSync(own, { recursive: true });
}

/** Copies a layer and the one below it, without what overlayfs marks as removed. */
async function copyLayers(top: Layer, to: string): Promise<void> {
  const copy = 'cd "$1" && find . ! -type c -print0 | cpio -0pdm --quiet "$2"';
  for (const layer of [top.below, top])
    if (layer !== undefined) await execute('sh', ['-c', copy, 'sh', layer.folder, to], { timeoutMs: 60_000 });
}

function boot(
  { kernel, ramdisk, root }: Disk,
  folder: string,
  port: number,
  consoleFile: string,
): ChildProcess {
  const output = openSync(consoleFile, 'a');
  const drive = (file: string, more: string): string => `file=${file},if=virtio,format=raw,${more}`;
  const words =
    'console=ttyS0 quiet panic=-1 systemd.show_status=0 mitigations=off net.ifnames=0 tsc=unstable';
  const args = [
    ...['-machine', 'q35', '-m', '1024', '-smp', '2', '-nographic', '-no-reboot'],
    // Without -cx16 this kernel panics under the translator.
    ...['-cpu', 'max,-cx16', '-accel', 'tcg,thread=multi,tb-size=512'],
    ...['-kernel', kernel.image, '-initrd', ramdisk, '-append', words],
    ...['-drive', drive(root, 'snapshot=on'), '-drive', drive(join(folder, 'own.tar'), 'readonly=on')],
    ...['-netdev', `user,id=n0,restrict=on,hostfwd=tcp:127.0.0.1:${port}-:22`],
    ...['-device', 'virtio-net-pci,netdev=n0', '-device', 'virtio-rng-pci'],
  ];
  return spawn('setpriv', ['--pdeathsig', 'KILL', 'qemu-system-x86_64', ...args], {
    stdio: ['ignore', output, output],
  });
}

/** One connection for all scripts: a handshake costs a second. */
function shellIn(folder: string, port: number): Vm['run'] {
  writeFileSync(
    join(folder, 'known_hosts'),
    `[127.0.0.1]:${port} ${readFileSync(join(folder, 'host.pub'), 'utf8')}`,
  );
  const settings = {
    BatchMode: 'yes',
    ConnectTimeout: '25',
    ControlMaster: 'auto',
    ControlPath: join(folder, 'ssh'),
    ControlPersist: '30',
    IdentitiesOnly: 'yes',
    UserKnownHostsFile: join(folder, 'known_hosts'),
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  const login = ['-F', 'none', '-i', join(folder, 'admin'), '-p', String(port), ...options, 'root@127.0.0.1'];
  return (script, { timeoutMs = 180_000, allowFailure = false } = {}) =>
    execute('ssh', [...login, `PATH=${path}; export PATH; exec /bin/sh -s`], {
      timeoutMs,
      allowFailure,
      input: script,
    });
}

const makeKey = (file: string, comment: string): Promise<Finished> =>
  execute('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', comment, '-f', file], { timeoutMs: 10_000 });

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        typeof address === 'object' && address ? resolve(address.port) : reject(new Error()),
      );
    });
  });
}

import { readFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { execute, waitFor } from './command.ts';
import { type MachineOptions, makeMachine } from './machine.ts';
import { setCable } from './network.ts';
import type { RunOptions, TestHost } from './test-host.ts';

export type HostOptions = MachineOptions & {
  slot: number;
  index: number;
  address: string;
  address6: string;
  /** Where connections of `reachable()` come from, and where they go. */
  probes: string[];
  probed: string;
  hostKey: string;
  adminKeyFile: string;
  written: string;
  /** PATH of the scripts that tests run in it. */
  path: string;
};

/** A second or two; this is for a machine that is busy with much else. */
const bootMs = 60_000;

/** A machine that is switched off, as a host for tests. */
export function makeHost(options: HostOptions): TestHost {
  const { name, address, address6, hostKey, adminKeyFile, root, slot, index } = options;
  const machine = makeMachine(options);
  const reachable = prober(options);
  const consoleText = () => readFileSync(options.consoleFile, 'utf8');
  const complain = (what: string) =>
    new Error(`${name} ${what}; its console says:\n${consoleText().split('\n').slice(-30).join('\n')}`);

  const waitReachable = async (timeoutMs = bootMs) => {
    if (!(await waitFor(reachable, { timeoutMs, everyMs: 40 }))) throw complain('does not answer ssh');
  };
  const shell = () => {
    const leader = machine.leader();
    if (leader === undefined) throw complain('is off');
    return shellInside(leader, options.path);
  };
  const run = async (script: string, runOptions: RunOptions = {}) =>
    execute('nsenter', [...shell(), '/dev/fd/3'], { timeoutMs: 60_000, script, ...runOptions });
  const rebooted = async () => {
    const before = machine.boots();
    await run('systemctl reboot', { allowFailure: true });
    if (!(await waitFor(() => machine.boots() > before, { timeoutMs: bootMs, everyMs: 40 })))
      throw complain('does not reboot');
    await waitReachable();
  };

  return {
    ...{ name, address, address6, port: 22, hostKey, adminKeyFile, root, written: options.written },
    ...{ reachable, waitReachable, console: consoleText, boots: machine.boots },
    shell: () => ['nsenter', shell()],
    run,
    powerCut: machine.cut,
    powerOn: async ({ wait } = { wait: 'ssh' }) => {
      machine.on();
      if (wait === 'ssh') await waitReachable();
    },
    reboot: rebooted,
    powerOff: async () => {
      await run('systemctl poweroff', { allowFailure: true });
      if (!(await machine.ended(bootMs))) throw complain('does not power off');
    },
    cutNetwork: (how = 'silent') => setCable(slot, index, how),
    restoreNetwork: () => setCable(slot, index, 'connected'),
    stop: machine.cut,
  };
}

/** Arguments of nsenter(1): a shell in the host. */
function shellInside(leader: number, path: string): string[] {
  const namespaces = ['--mount', '--uts', '--ipc', '--net', '--pid', '--cgroup'];
  const environment = [`PATH=${path}`, 'HOME=/root', 'LC_ALL=C', 'TERM=dumb', 'SYSTEMD_PAGER=cat'];
  return ['-t', String(leader), ...namespaces, '--', '/usr/bin/env', '-i', ...environment, '/bin/sh'];
}

/**
 * Asks whether a server speaks first and begins with its version (RFC 4253, section 4.2). sshd_config(5),
 * PerSourcePenalties: who disconnects without logging in is shut out for a while, so the questions come from several
 * addresses in turn, and never from the one that operators under test come from.
 */
function prober({ probed, probes }: HostOptions): () => Promise<boolean> {
  let asked = 0;
  return () => {
    const localAddress = probes[asked++ % probes.length]!;
    return new Promise((resolve) => {
      const socket = createConnection({ host: probed, port: 22, localAddress });
      const settle = (answer: boolean) => {
        socket.destroy();
        resolve(answer);
      };
      socket.setTimeout(1_000, () => settle(false));
      socket.once('error', () => settle(false));
      socket.once('close', () => resolve(false));
      socket.once('data', (chunk) => settle(chunk.toString('latin1').startsWith('SSH-')));
    });
  };
}

/**
 * Scripted hosts: SSH servers inside of this process that act as NixOS hosts with Firn's program. They talk bytes: a real
 * SSH server with a host key, real public-key authentication, and behind `/bin/sh` a small faithful model of
 * nix/host/firn-host (claim and fence, stage with the payload's hashes checked, build, trial, confirm, revert, reboot).
 * Whatever cannot be had without systemd and Nix takes its time by the clock and always succeeds, unless a fault says
 * otherwise.
 *
 *     await using fleet = await startScriptedHosts({ count: 3 });
 *     const [alpha] = fleet.hosts;                     // alpha.address, alpha.port, alpha.hostKey, fleet.privateKey
 *     alpha.faults.add({ kind: 'cut', at: 'afterEffect', subcommand: 'activate', times: 1 });
 *     alpha.faults.add({ kind: 'buildFails', reason: 'BuildFailed', message: 'error: …',
 *                        when: (bundle) => String(bundle.get('host.nix')).includes('broken') });
 *     …
 *     alpha.state.trial; alpha.calls.map((call) => call.subcommand); alpha.reboot(); alpha.violations;
 *
 * `faults.ts` lists the faults, `state.ts` what a host is. Logins: `root`, and `deploy`, which becomes root with sudo. A
 * host that nobody has connected to costs a listening port of loopback and a few small objects; keys are made when first
 * asked for. A scripted host can be the jump host for another one.
 */
import type { Clock } from '../../../controllers/lib/core/clock.ts';
import { systemClock } from '../../../controllers/lib/core/clock.ts';
import type { Subcommand } from '../../../controllers/lib/host/protocol.ts';
import { findIn } from '../secrets/forms.ts';
import { guard, keepSecret } from '../secrets/registry.ts';
import { generateSshKey } from '../ssh-keys.ts';
import type { Fault, Faults } from './faults.ts';
import { type Listener, type ListenerHost, startListener } from './listener.ts';
import { createMachine } from './machine.ts';
import { type Durations, defaultDurations, type HostState } from './state.ts';

export type ScriptedHost = {
  readonly name: string;
  /** Of loopback. */
  readonly address: string;
  readonly port: number;
  /** As in known_hosts. */
  readonly hostKey: string;
  readonly faults: Faults;
  readonly state: HostState;
  readonly durations: Durations;
  /** The calls that reached the program, oldest first; the last 1,000. */
  readonly calls: readonly ScriptedCall[];
  /** What happened that must not (`witness.ts`). A test of an operator ends with none. */
  readonly violations: readonly string[];
  /** Ports of its loopback, by the ports of ours that answer for them to who comes over SSH. */
  readonly ports: Map<number, number>;
  /** Open TCP connections. */
  readonly connections: number;
  /** Called with each call that reaches the program, for who measures. */
  onCall: ((call: ScriptedCall) => void) | null;
  /** Cuts every connection and boots: what was confirmed, or what a guarded reboot entered. A power cut is the same. */
  reboot(): void;
  /** Cuts every connection, the network's way. */
  cut(): void;
};

export type ScriptedCall = {
  subcommand: Subcommand;
  fields: Readonly<Record<string, string | number>>;
  at: number;
  /** `ok` or the code of the refusal; absent until the program has ended, and where it never did. */
  answer?: string;
};

export type ScriptedFleet = AsyncDisposable & {
  readonly hosts: readonly ScriptedHost[];
  /** A private key that every host lets in, in OpenSSH's format. */
  readonly privateKey: string;
  readonly publicKey: string;
  close(): Promise<void>;
};

export type ScriptedOptions = {
  count: number;
  /** Of the host with this index, from its start. */
  script?: (index: number) => {
    faults?: readonly Fault[];
    durations?: Partial<Durations>;
    /** Its own, where hosts do not agree about the time. */
    clock?: Clock;
  };
  /** Public keys that may log in besides the fleet's own. */
  authorizedKeys?: readonly string[];
  clock?: Clock;
};

export async function startScriptedHosts(options: ScriptedOptions): Promise<ScriptedFleet> {
  const login = generateSshKey();
  keepSecret('the login key of scripted hosts', login.private);
  const authorizedKeys = [login.public, ...(options.authorizedKeys ?? [])];
  const started: { host: ScriptedHost; close(): Promise<void> }[] = [];
  const calls = () => started.flatMap(({ host }) => host.calls.map(({ fields }) => Object.values(fields)));
  const searched = guard({
    name: 'requests to scripted hosts, which become lines of a script',
    search: async (patterns) => findIn(patterns, calls().flat().join('\n')),
  });
  const close = async (): Promise<void> => {
    await searched();
    await Promise.all(started.map((one) => one.close()));
  };
  try {
    for (let index = 0; index < options.count; index += 1) {
      started.push(await startHost(index, authorizedKeys, options));
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    hosts: started.map(({ host }) => host),
    privateKey: login.private,
    publicKey: login.public,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/**
 * Ports are the kernel's choice, and it takes long to find one where many are taken. So every few thousand hosts get
 * another address; few hosts get the one that every system has.
 */
const addressOf = (index: number): string => `127.0.${Math.floor(index / 4000)}.1`;

async function startHost(
  index: number,
  authorizedKeys: readonly string[],
  options: ScriptedOptions,
): Promise<{ host: ScriptedHost; close(): Promise<void> }> {
  const script = options.script?.(index);
  const clock = script?.clock ?? options.clock ?? systemClock;
  const address = addressOf(index);
  const key = lazy(generateSshKey);
  const other = lazy(generateSshKey);
  const calls: ScriptedCall[] = [];
  const ports = new Map<number, number>();
  const machine = createMachine(
    `host-${index}`,
    clock,
    { ...defaultDurations, ...script?.durations },
    () => listener,
  );
  const listenerHost: ListenerHost = {
    ...machine.machine,
    hostKey: () => key().private,
    otherKey: () => other().private,
    authorizedKeys,
    users: ['root', 'deploy'],
    ports,
    record: ({ subcommand, fields }) => {
      const call: ScriptedCall = { subcommand, fields, at: clock.now() };
      if (calls.length >= 1000) calls.shift();
      calls.push(call);
      host.onCall?.(call);
      return (answer) => {
        call.answer = answer;
      };
    },
  };
  const host: ScriptedHost = {
    name: `host-${index}`,
    address,
    get port() {
      return listener.port;
    },
    get hostKey() {
      return key().public;
    },
    faults: machine.machine.faults,
    state: machine.machine.state,
    durations: machine.machine.durations,
    calls,
    ports,
    violations: machine.machine.witness.violations,
    get connections() {
      return listener.connections;
    },
    onCall: null,
    reboot: () => machine.machine.reboot(),
    cut: () => listener.cutAll(),
  };
  const listener: Listener = await startListener(address, listenerHost);
  for (const fault of script?.faults ?? []) host.faults.add(fault);
  return {
    host,
    close: async () => {
      machine.stop();
      await listener.close();
    },
  };
}

function lazy<T>(make: () => T): () => T {
  let made: { value: T } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** The two hosts of the tour: NixOS hosts that boot, where that can be done; else hosts that a script plays. */
import { readFileSync } from 'node:fs';
import { startHosts } from '../test/support/hosts/start.ts';
import { startScriptedHosts } from '../test/support/ssh-server/scripted-hosts.ts';
import { cutOffMark } from './manifests.ts';

export type DemoHost = {
  name: string;
  address: string;
  port: number;
  hostKey: string;
  /** A flake reference of the nixpkgs that can be had there. */
  nixpkgs: string;
  /** Runs a shell script on the host, past its network; null where the host has no shell. */
  run: ((script: string) => Promise<string>) | null;
};

export type Fleet = AsyncDisposable & {
  kind: 'booted' | 'scripted';
  hosts: DemoHost[];
  /** Lets the operator in, as root. */
  privateKey: string;
};

export const names = ['alpha', 'beta'] as const;

/** Why hosts cannot be booted here; null where they can. */
export function whyNotBooted(): string | null {
  if (process.platform !== 'linux') return 'this is not Linux';
  return process.getuid?.() === 0 ? null : 'that needs root';
}

export async function bootFleet(): Promise<Fleet> {
  const started = await startHosts({ count: names.length, flavour: 'nixos', names: [...names] });
  const hosts = started.hosts.map(({ name, address, port, hostKey, run }) => {
    const script = async (text: string) => (await run(text)).stdout;
    return { name, address, port, hostKey, nixpkgs: 'path:/srv/nixpkgs', run: script };
  });
  const privateKey = readFileSync(started.hosts[0]!.adminKeyFile, 'utf8');
  return { kind: 'booted', hosts, privateKey, [Symbol.asyncDispose]: () => started.stop() };
}

/** As slow as small real ones, so that the tour can be followed. */
const durations = { build: 1500, resolve: 500, activate: 1000, revert: 1000, confirm: 100, boot: 2000 };

export async function scriptFleet(): Promise<Fleet> {
  const started = await startScriptedHosts({ count: names.length, script: () => ({ durations }) });
  const hosts = started.hosts.map((host, index) => {
    const when = (bundle: ReadonlyMap<string, string | Uint8Array>): boolean =>
      [...bundle.values()].some((content) => String(content).includes(cutOffMark));
    host.faults.add({ kind: 'losesNetwork', when });
    const { address, port, hostKey } = host;
    const nixpkgs = 'github:NixOS/nixpkgs/nixos-26.05';
    return { name: names[index]!, address, port, hostKey, nixpkgs, run: null };
  });
  const { privateKey } = started;
  return { kind: 'scripted', hosts, privateKey, [Symbol.asyncDispose]: () => started.close() };
}

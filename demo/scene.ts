/** What the steps of the tour work with: kubectl, the hosts, and a look at the objects that ends in time. */
import { setTimeout as sleep } from 'node:timers/promises';
import { NixNode } from '../crds/index.ts';
import type { DemoHost, Fleet } from './fleet.ts';
import type { Kubectl } from './kubectl.ts';
import { namespace } from './manifests.ts';
import { terminal } from './terminal.ts';

export class NotSeen extends Error {
  override readonly name = 'NotSeen';
}

export type Scene = {
  fleet: Fleet;
  host(name: string): DemoHost;
  /** Says the command, runs it, and shows what it printed. */
  show(args: readonly string[]): Promise<void>;
  /** Applies and says so; shows the manifest, unless it holds a secret. */
  apply(what: string, manifest: string, listing: 'shown' | 'secret'): Promise<void>;
  node(name: string): Promise<NixNode>;
  /** Waits until it holds, and says so; throws `NotSeen` when it does not in so many seconds. */
  until(what: string, seconds: number, holds: () => Promise<boolean>): Promise<void>;
  /** Waits until a script prints this on the host, and shows it. A host without a shell is said to have none. */
  untilPrints(name: string, script: string, expected: string): Promise<void>;
};

const pollMs = 400;

export function sceneOf(fleet: Fleet, kubectl: Kubectl, signal: AbortSignal): Scene {
  const host = (name: string): DemoHost => fleet.hosts.find((one) => one.name === name)!;
  const until: Scene['until'] = async (what, seconds, holds) => {
    const began = performance.now();
    const elapsed = (): number => (performance.now() - began) / 1000;
    while (!(await holds())) {
      if (elapsed() > seconds) throw new NotSeen(`not within ${seconds} seconds: ${what}`);
      await sleep(pollMs, undefined, { signal });
    }
    terminal.seen(`${what} (${elapsed().toFixed(1)} s)`);
  };
  return {
    fleet,
    host,
    async show(args) {
      terminal.command(`kubectl ${args.join(' ')}`);
      terminal.output(await kubectl(args));
    },
    async apply(what, manifest, listing) {
      terminal.command(`kubectl apply --server-side -f ${what}`);
      if (listing === 'shown') terminal.listing(manifest);
      terminal.output(await kubectl(['apply', '--server-side', '-f', '-'], manifest));
    },
    async node(name) {
      return NixNode.parse(
        JSON.parse(await kubectl(['get', 'nixnode', name, '-n', namespace, '-o', 'json'])),
      );
    },
    until,
    async untilPrints(name, script, expected) {
      const { run } = host(name);
      if (run === null) return terminal.say(`(${name} is played and has no files to look at)`);
      let printed = '';
      await until(`${name} has the file`, 15, async () => {
        printed = (await run(script)).trim();
        return printed === expected;
      });
      terminal.command(`ssh root@${name} ${script}`);
      terminal.output(printed);
    },
  };
}

/** Whether a login failed, be it to look at the host or, over a new connection, to confirm. */
export const cannotComeIn = (node: NixNode): boolean =>
  node.status?.conditions?.some(({ status, reason }) => status === 'False' && /^Connect/.test(reason)) ===
  true;

/** Ready for the newest generation of its spec. */
export function isReady(node: NixNode): boolean {
  const ready = node.status?.conditions?.find(({ type }) => type === 'Ready');
  return node.status?.observedGeneration === node.metadata.generation && ready?.status === 'True';
}

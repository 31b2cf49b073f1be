import type { Sealed } from '../lib/core/sealed.ts';
import type { Hosts } from '../lib/host/host.ts';
import type { PublicKey } from '../lib/host/keys.ts';
import type { Tree } from '../lib/nix/tree.ts';
import type { Targets } from '../lib/target/targets.ts';

/** What the controller acts with; `controllers/main.ts` makes it, tests make their own. */
export type Services = {
  hosts: Hosts;
  /** The clusters that run on them. */
  targets: Targets;
  /** The public half of an SSH key; `encrypted` or null where it cannot be used. */
  readPrivateKey(key: Sealed<string>): PublicKey | 'encrypted' | null;
  installation: {
    /** 32 hex digits: names this operator to hosts, and tells it from others. */
    id: string;
    /** Names sets of secrets, so that nothing guessable is published. */
    hmacKey: Sealed<Uint8Array>;
  };
  /** As many random bytes as asked for: serial numbers of certificates. */
  randomBytes(count: number): Uint8Array;
  /** nix/modules, with paths relative to it. */
  firnModules: Tree;
  /** Of this program; goes into a release's manifest. */
  version: string;
};

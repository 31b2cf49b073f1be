import type { Cable } from './network.ts';

export type RunOptions = {
  /** Default: one minute. */
  timeoutMs?: number;
  input?: string | Uint8Array;
  allowFailure?: boolean;
};

/** A booted host, and what a test does to it. Everything has a deadline and rejects when it passes. */
export type TestHost = {
  name: string;
  address: string;
  address6: string;
  port: 22;
  /** As in `spec.ssh.hostKeys`: `ssh-ed25519 AAAA…`. */
  hostKey: string;
  /** A file with a private key that may log in as root. */
  adminKeyFile: string;
  /** Its root file system, from outside; without what is mounted inside (`/run`, `/tmp`, `/etc` of a NixOS host). */
  root: string;
  /** Of that, what was written since the image, in the same folders. To be read only. */
  written: string;
  /**
   * Runs a shell script in the host as root, past network and sshd, so that it works whatever is broken. The script
   * reaches the shell through a descriptor: it stands in no process' arguments.
   */
  run(script: string, options?: RunOptions): Promise<{ stdout: string; stderr: string; code: number }>;
  /** The command of an interactive shell in it, for people. */
  shell(): [command: string, args: string[]];
  /** Whether an ssh server answers on port 22, within a second. */
  reachable(): Promise<boolean>;
  /** Rejects with the end of the console if no ssh server answers in time (default: a minute). */
  waitReachable(timeoutMs?: number): Promise<void>;
  /** At once, without warning. Resolves when it is off. */
  powerCut(): Promise<void>;
  /** Resolves when ssh answers, or at once with `{ wait: 'nothing' }`. */
  powerOn(options?: { wait: 'ssh' | 'nothing' }): Promise<void>;
  /** An orderly reboot from inside; resolves when ssh answers again. */
  reboot(): Promise<void>;
  /** Resolves when it has switched itself off. */
  powerOff(): Promise<void>;
  /** Power-ons and reboots so far. */
  boots(): number;
  /** What it wrote to its console so far, over all boots. */
  console(): string;
  /** Default: `silent`, packets vanish in both directions and the host does not notice. */
  cutNetwork(how?: Exclude<Cable, 'connected'>): Promise<void>;
  restoreNetwork(): Promise<void>;
  /** Off for good. Its files stay until all hosts of the run are stopped. */
  stop(): Promise<void>;
};

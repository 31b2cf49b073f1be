import type { Duplex } from 'node:stream';
import type { Sealed } from '../core/sealed.ts';
import type { HostReply, HostRequest, Subcommand } from './protocol.ts';

/** One login: an SSH server and who we are there. */
export type SshEndpoint = {
  host: string;
  port: number;
  user: string;
  /** An OpenSSH or PEM private key. */
  privateKey: Sealed<string>;
  /** Pinned keys as in known_hosts (`ssh-ed25519 AAAA…`). Empty is only valid with `trustFirstKey`. */
  hostKeys: readonly string[];
  /** Accept the first key seen. The caller pins `Host.hostKey` before it does anything else. */
  trustFirstKey: boolean;
};

export type Target = SshEndpoint & {
  /** What connections are pooled by: the NixNode's UID. */
  poolKey: string;
  jump?: SshEndpoint;
};

export type CallOptions = {
  signal: AbortSignal;
  /** For the whole call, connection included. */
  deadlineMs: number;
  /** A connection that was opened for this call: what a confirmation must travel over. */
  newConnection?: boolean;
};

/**
 * A host that answers. A handle costs nothing: connections are pooled behind it, opened when a call needs one,
 * and closed when idle.
 */
export type Host = {
  /** Throws `HostError` and nothing else, except the signal's reason when aborted. */
  call<S extends Subcommand>(
    subcommand: S,
    request: HostRequest<S>,
    options: CallOptions,
  ): Promise<HostReply<S>>;
  /** The key that the host showed on the newest connection, as in known_hosts; null before the first. */
  readonly hostKey: string | null;
};

export type Hosts = {
  at(target: Target): Host;
  /**
   * A byte stream to `to` as the host sees it, over the connection that calls share; it counts as a use of that
   * connection until it closes. `signal` is about the way there and not about the stream. Throws like `call`.
   */
  forward(target: Target, to: { host: string; port: number }, signal: AbortSignal): Promise<Duplex>;
  /** Closes what is pooled for a host that is no longer ours. */
  forget(poolKey: string): void;
  /** Closes everything. */
  close(): Promise<void>;
};

/** Why a call failed, as far as the caller must tell the cases apart. */
export type HostErrorCode =
  // the way there
  | 'NameNotResolved'
  | 'ConnectionRefused'
  | 'ConnectTimeout'
  | 'HostKeyMismatch'
  | 'AuthenticationFailed'
  | 'InvalidPrivateKey'
  | 'JumpFailed'
  | 'ForwardFailed'
  | 'ConnectionLost'
  | 'DeadlineExceeded'
  // the shell there
  | 'SudoRefused'
  | 'ShellUnusable'
  | 'ProtocolViolation'
  // the program there said no: `HostRefusal` in protocol.ts has the codes
  | 'Refused';

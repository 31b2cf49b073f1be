/** Bounds of the way to the hosts. Times are milliseconds. */
export type HostLimits = {
  /** From the first packet to a login, through the jump host where there is one. */
  connectMs: number;
  /** Silence after which a connection is asked whether it lives; after `keepaliveMisses` without an answer it is lost. */
  keepaliveMs: number;
  keepaliveMisses: number;
  /** A connection without calls is closed after this: long enough to poll a build, short enough that hosts at rest have none. */
  idleMs: number;
  /** Calls at once on one connection. sshd allows ten (`MaxSessions`); the ones that it still tears down count. */
  channels: number;
  /** Connections being opened at once, over all hosts: a handshake costs both ends a few milliseconds of CPU. */
  connecting: number;
  /** What a host may print in one call. */
  replyBytes: number;
};

export const defaultLimits: HostLimits = {
  connectMs: 15_000,
  keepaliveMs: 15_000,
  keepaliveMisses: 2,
  idleMs: 30_000,
  channels: 8,
  connecting: 64,
  replyBytes: 8 * 1024 * 1024,
};

/** What a failed call to a host means for a reconcile: its reason in status, and when to try again. */
import { ReconcileError, type Verdict } from '../lib/core/outcome.ts';
import type { HostErrorCode } from '../lib/host/host.ts';
import { HostError } from '../lib/host/host-error.ts';

/** Needs a person, or the host itself, to change something that no watch shows: look again after this long. */
const personMs = 60_000;

const connection: Record<Exclude<HostErrorCode, 'Refused'>, Verdict> = {
  NameNotResolved: 'transient',
  ConnectionRefused: 'transient',
  ConnectTimeout: 'transient',
  ConnectionLost: 'transient',
  DeadlineExceeded: 'transient',
  JumpFailed: 'transient',
  HostKeyMismatch: 'terminal',
  AuthenticationFailed: 'terminal',
  InvalidPrivateKey: 'terminal',
  SudoRefused: 'terminal',
  ShellUnusable: 'terminal',
  ProtocolViolation: 'transient',
};

/** What to do, for refusals whose own words cannot know it. */
const advice: Record<string, string> = {
  Fenced: 'a newer operator deploys to this host; this one leaves it alone',
  OwnedByOther:
    'another Firn installation deploys to this host; delete its NixNode there, or take over with the annotation firn.dev/adopt: "true" here',
  NoNix: 'install Nix 2.8 or newer on the host',
  NotNixOS: 'Firn manages NixOS hosts; install NixOS first',
  NoSystemd: 'Firn needs systemd on the host',
  DiskFull: 'free some space on the host; nothing was changed there',
  NotPersistent: 'put /var/lib/firn and /var/lib/systemd on a file system that survives a restart',
};

/** Another step is under way, or the host was busy: what it reports next decides. */
const passing = new Set([
  'Busy',
  'NotFound',
  'NotBuilt',
  'PartMissing',
  'PayloadCorrupt',
  'NotClaimed',
  'Failed',
]);

/** Errors that are not of the host pass through unchanged: they are bugs, and `settle` treats them so. */
export function asReconcileError(error: unknown): unknown {
  if (!(error instanceof HostError)) return error;
  if (error.code !== 'Refused') {
    const verdict = connection[error.code];
    const recheck = verdict === 'terminal' ? { recheckMs: personMs } : {};
    return new ReconcileError(verdict, error.code, error.message, { cause: error, ...recheck });
  }
  const code = error.refusal ?? 'Failed';
  const message = advice[code] ? `${error.message}: ${advice[code]}` : error.message;
  const reason = code === 'Failed' ? 'HostFailed' : code;
  if (passing.has(code)) return new ReconcileError('transient', reason, message, { cause: error });
  return new ReconcileError('terminal', reason, message, { cause: error, recheckMs: personMs });
}

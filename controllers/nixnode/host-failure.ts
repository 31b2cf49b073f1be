/** What a failed call to a host means for a reconcile: its reason in status, and when to try again. */
import { ReconcileError, type Verdict } from '../lib/core/outcome.ts';
import type { HostErrorCode } from '../lib/host/host.ts';
import { HostError } from '../lib/host/host-error.ts';
import { withAdvice } from './advice.ts';

/** Needs a person, or the host itself, to change something that no watch shows: look again after this long. */
const personMs = 30_000;

const connection: Record<Exclude<HostErrorCode, 'Refused'>, Verdict> = {
  NameNotResolved: 'transient',
  ConnectionRefused: 'transient',
  ConnectTimeout: 'transient',
  ConnectionLost: 'transient',
  DeadlineExceeded: 'transient',
  JumpFailed: 'transient',
  ForwardFailed: 'transient',
  HostKeyMismatch: 'terminal',
  AuthenticationFailed: 'terminal',
  InvalidPrivateKey: 'terminal',
  SudoRefused: 'terminal',
  ShellUnusable: 'terminal',
  ProtocolViolation: 'transient',
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
    return new ReconcileError(verdict, error.code, withAdvice(error.code, error.message), {
      cause: error,
      ...recheck,
    });
  }
  const code = error.refusal ?? 'Failed';
  const reason = code === 'Failed' ? 'HostFailed' : code;
  const message = withAdvice(reason, error.message);
  if (passing.has(code)) return new ReconcileError('transient', reason, message, { cause: error });
  return new ReconcileError('terminal', reason, message, { cause: error, recheckMs: personMs });
}

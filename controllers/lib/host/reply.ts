import type { FailCode } from './bootstrap.ts';
import { programFolder } from './bootstrap.ts';
import type { Outcome } from './dialogue.ts';
import type { SshEndpoint } from './host.ts';
import { HostError } from './host-error.ts';
import type { HostReply, Subcommand } from './protocol.ts';
import { refusalSchema, subcommands } from './protocol.ts';
import { nameOf, quoted } from './words.ts';

/** What a call has seen when its dialogue ended; `stderr` is bounded. */
export type Seen = { endpoint: SshEndpoint; subcommand: Subcommand; stderr: string };

/** The program's answer, or the `HostError` that says what came instead. */
export function readOutcome<S extends Subcommand>(subcommand: S, outcome: Outcome, seen: Seen): HostReply<S> {
  switch (outcome.kind) {
    case 'fail':
      throw failed(outcome.code, outcome.message, seen.endpoint);
    case 'flooded':
      throw new HostError(
        'ProtocolViolation',
        `${nameOf(seen.endpoint)} printed more than a reply can be; look at what its shell prints at login`,
      );
    case 'reply':
      return readReply(subcommand, outcome, seen);
  }
}

function readReply<S extends Subcommand>(
  subcommand: S,
  { output, exitStatus }: { output: string; exitStatus: number },
  seen: Seen,
): HostReply<S> {
  const json = parseJson(lastObject(output));
  const refusal = refusalSchema.safeParse(json);
  if (refusal.success) {
    const { code, messageB64 } = refusal.data;
    throw new HostError('Refused', messageB64 === '' ? `${subcommand} was refused: ${code}` : messageB64, {
      refusal: code,
    });
  }
  const reply = subcommands[subcommand].reply.safeParse(json);
  // The schema is chosen by the same `subcommand` as the type.
  if (reply.success) return reply.data as HostReply<S>;
  const where = reply.error.issues[0]?.path.join('.') ?? '';
  const how =
    json === undefined ? 'no reply' : `a reply that this operator does not read${where && ` (at ${where})`}`;
  throw new HostError(
    'ProtocolViolation',
    `${subcommand} on ${nameOf(seen.endpoint)} gave ${how} and exit status ${exitStatus}${hint(seen)}`,
    { cause: reply.error },
  );
}

/** What stands on standard error may be shown, but not where secrets went in: a shell's error could quote them. */
const hint = ({ subcommand, stderr }: Seen): string =>
  subcommands[subcommand].payload || quoted(stderr) === '' ? '' : `: ${quoted(stderr)}`;

/** The reply is the last line; what a background process of a login shell printed after it is none. */
const lastObject = (output: string): string =>
  output
    .split('\n')
    .findLast((line) => line.startsWith('{'))
    ?.trim() ?? '';

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined;
  }
}

function failed(code: FailCode, message: string, endpoint: SshEndpoint): HostError {
  const host = nameOf(endpoint);
  switch (code) {
    case 'sudo':
      return new HostError(
        'SudoRefused',
        `sudo on ${host} refused: ${quoted(message)}. Let it run without a password: in sudoers ` +
          `"${endpoint.user} ALL=(root) NOPASSWD: /bin/sh", or in NixOS ` +
          'security.sudo.extraRules = [ { users = [ "' +
          `${endpoint.user}" ]; commands = [ { command = "/bin/sh"; options = [ "NOPASSWD" ]; } ]; } ]`,
      );
    case 'notroot':
      return new HostError('SudoRefused', `${host} is ${quoted(message)} there and did not become root`);
    case 'tools':
      return new HostError(
        'ShellUnusable',
        `${host} has no ${quoted(message)} in its PATH; install coreutils`,
      );
    case 'corrupt':
      return new HostError(
        'ProtocolViolation',
        `the host program did not arrive on ${host} as it was sent; the disk or the connection alters data`,
      );
    case 'store':
      return unwritable(message, host);
  }
}

function unwritable(message: string, host: string): HostError {
  const refusal = /no space left|quota exceeded/i.test(message)
    ? 'DiskFull'
    : /read-only/i.test(message)
      ? 'NotPersistent'
      : 'Failed';
  return new HostError('Refused', `${programFolder} on ${host} cannot be written: ${quoted(message)}`, {
    refusal,
  });
}

import type { ClientChannel } from 'ssh2';
import { becomeRoot, runProgram } from './bootstrap.ts';
import { abortable } from './deadline.ts';
import { Dialogue, type Outcome, type Wanted } from './dialogue.ts';
import type { SshEndpoint } from './host.ts';
import { HostError } from './host-error.ts';
import type { Subcommand } from './protocol.ts';
import { nameOf, quoted } from './words.ts';

/** The host program: `hash` is the SHA-256 of `text`, in hex, and its name on the hosts. */
export type HostProgram = { text: string; hash: string };

/** One call, as far as the shell on the other side is concerned. */
export type Call = {
  endpoint: SshEndpoint;
  program: HostProgram;
  subcommand: Subcommand;
  request: readonly string[];
  payload: Uint8Array | null;
  /** Fresh for every call, hex. */
  nonce: string;
  replyBytes: number;
};

/** How far a call is; the caller keeps it for the message of one that ends too early. */
export type CallProgress = { dialogue: Dialogue; stderr: string; heard: boolean };

export const beginCall = (call: Call): CallProgress => ({
  dialogue: new Dialogue(call.nonce, call.replyBytes),
  stderr: '',
  heard: false,
});

const stderrCharacters = 1024;
const pieceBytes = 64 * 1024;

/**
 * Holds the dialogue of one call over a channel that runs `/bin/sh`. `drained` paces the payload. The channel is
 * closed when it returns or throws, whatever the reason.
 */
export async function converse(
  channel: ClientChannel,
  call: Call,
  progress: CallProgress,
  drained: () => Promise<void>,
  signal: AbortSignal,
): Promise<Outcome> {
  const send = (wanted: Wanted): void => {
    const bytes = bytesFor(wanted, call);
    if (bytes !== null) pump(channel, bytes, drained);
  };
  try {
    return await abortable<Outcome>(signal, (resolve, reject) => {
      channel.on('data', (chunk: Buffer) => {
        progress.heard = true;
        for (const step of progress.dialogue.feed(chunk)) {
          if ('outcome' in step) resolve(step.outcome);
          else send(step.wanted);
        }
      });
      channel.stderr.on('data', (chunk: Buffer) => {
        progress.heard = true;
        progress.stderr = `${progress.stderr}${chunk.toString('latin1')}`.slice(0, stderrCharacters);
      });
      channel.on('error', () => reject(broken(call, progress, undefined)));
      channel.on('close', (status: unknown) => reject(broken(call, progress, status)));
      // Who is root by name needs no stage for it: the main script is the first thing sent.
      if (call.endpoint.user === 'root') send('script');
      else channel.write(becomeRoot(call.nonce));
      return () => {};
    });
  } finally {
    channel.close();
  }
}

function bytesFor(wanted: Wanted, call: Call): Uint8Array | null {
  switch (wanted) {
    case 'script':
      return Buffer.from(runProgram(call.nonce, programOf(call), call.subcommand, call.request));
    case 'program':
      return Buffer.from(call.program.text);
    case 'payload':
      return call.payload;
  }
}

const programOf = ({ program }: Call): { hash: string; bytes: number } => ({
  hash: program.hash,
  bytes: Buffer.byteLength(program.text),
});

/** Writes piece by piece, as fast as the other side takes it. Ends silently with the channel: others report that. */
function pump(channel: ClientChannel, bytes: Uint8Array, drained: () => Promise<void>): void {
  const next = (from: number): void => {
    if (from >= bytes.length || !channel.writable) return;
    channel.write(bytes.subarray(from, from + pieceBytes), () => {
      void drained().then(() => next(from + pieceBytes));
    });
  };
  next(0);
}

/** The channel closed before the dialogue had ended. */
function broken(call: Call, { dialogue, stderr }: CallProgress, status: unknown): HostError {
  const host = nameOf(call.endpoint);
  if (typeof status !== 'number') {
    return new HostError('ConnectionLost', `the connection to ${host} was lost during ${call.subcommand}`);
  }
  const shown = call.payload === null ? quoted(`${stderr} ${dialogue.chatter}`) : '';
  const said = shown === '' ? '' : `: ${shown}`;
  return dialogue.stage === 'shell' || dialogue.stage === 'root'
    ? new HostError('ShellUnusable', `/bin/sh on ${host} ended with exit status ${status}${said}`)
    : new HostError(
        'ProtocolViolation',
        `${call.subcommand} on ${host} ended in the middle, exit status ${status}${said}`,
      );
}

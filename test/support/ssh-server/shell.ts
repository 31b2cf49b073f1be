/**
 * The `/bin/sh` of a scripted host. It is no shell: it reads the scripts of bootstrap.ts, byte for byte, and does what
 * they would do. Anything else is a syntax error, as loudly as a real one.
 */
import type { ServerChannel } from 'ssh2';
import { becomeRoot, frames, payloadPrompt, runProgram } from '../../../controllers/lib/host/bootstrap.ts';
import { type Subcommand, subcommands } from '../../../controllers/lib/host/protocol.ts';
import { runCommand } from './commands.ts';
import type { Fault, FaultPoint } from './faults.ts';
import { createInbox, type Inbox } from './inbox.ts';
import { readFields, refusal } from './invocation.ts';
import { sha256 } from './payload.ts';
import type { Machine } from './state.ts';

export type ShellHost = Machine & {
  /** One entry for each call that reached the program. */
  record(call: { subcommand: Subcommand; fields: Readonly<Record<string, string | number>> }): void;
  cutConnection(): void;
};

/** Thrown to leave a dialogue in the middle. */
class Gone extends Error {}

export async function serveShell(channel: ServerChannel, user: string, host: ShellHost): Promise<void> {
  const inbox = createInbox(channel);
  try {
    const exitStatus = await dialogue(channel, inbox, user, host);
    channel.exit(exitStatus);
    channel.end();
  } catch (error) {
    if (!(error instanceof Gone) && !inbox.ended) throw error;
  }
}

async function dialogue(
  channel: ServerChannel,
  inbox: Inbox,
  user: string,
  host: ShellHost,
): Promise<number> {
  const { faults } = host;
  await passPoint(host, 'session', null);
  const noShell = faults.take('notAShell');
  if (noShell !== null) {
    channel.write(noShell.says);
    return noShell.exitStatus;
  }
  const chatter = faults.take('chatter');
  if (chatter?.before !== undefined) channel.write(chatter.before);
  const script = await inbox.script();
  if (script === null) return 0;
  const status = await runScript(channel, inbox, script, user, host);
  if (chatter?.after !== undefined) channel.write(chatter.after);
  return status;
}

async function runScript(
  channel: ServerChannel,
  inbox: Inbox,
  script: string,
  user: string,
  host: ShellHost,
): Promise<number> {
  const nonce = /^\{\nn=([0-9a-f]+)/.exec(script)?.[1] ?? '';
  const say = (words: string): unknown => channel.write(`\nFIRN-${nonce} ${words}\n`);
  const fail = (code: string, message: string): number => {
    say(`${frames.fail} ${code}`);
    channel.write(`${message}\n`);
    say(`${frames.end} 1`);
    return 1;
  };
  if (nonce !== '' && script === becomeRoot(nonce)) {
    const refused = user === 'root' ? null : host.faults.take('refuseSudo');
    if (refused !== null) return fail('sudo', refused.says);
    say(frames.root);
    const next = await inbox.script();
    return next === null ? 0 : runScript(channel, inbox, next, 'root', host);
  }
  const parsed = parseMain(script, nonce);
  if (parsed === null) {
    channel.stderr.write('/bin/sh: 1: Syntax error: this is not a script of the operator\n');
    return 2;
  }
  if (user !== 'root') return fail('notroot', user);
  return runMain({ channel, inbox, host, say, fail }, parsed);
}

type Main = { program: { hash: string; bytes: number }; subcommand: Subcommand; lines: string[] };

/** The variable pieces of the main script; null unless all the rest of it is exactly what bootstrap.ts writes. */
function parseMain(script: string, nonce: string): Main | null {
  const head = /\bh=([0-9a-f]{64}) s=(\d+)\n/.exec(script);
  const run = /^\/bin\/sh "\$p" (\w+) 3<<'FIRN-REQUEST'.*\n((?:.+\n)*?)FIRN-REQUEST\n/m.exec(script);
  const subcommand = Object.keys(subcommands).find((name) => name === run?.[1]) as Subcommand | undefined;
  if (head?.[1] === undefined || subcommand === undefined) return null;
  const program = { hash: head[1], bytes: Number(head[2]) };
  const lines = (run?.[2] ?? '').split('\n').slice(0, -1);
  return script === runProgram(nonce, program, subcommand, lines) ? { program, subcommand, lines } : null;
}

type Speaking = {
  channel: ServerChannel;
  inbox: Inbox;
  host: ShellHost;
  say: (words: string) => unknown;
  fail: (code: string, message: string) => number;
};

async function runMain(speaking: Speaking, { program, subcommand, lines }: Main): Promise<number> {
  const { channel, inbox, host, say, fail } = speaking;
  await passPoint(host, 'script', subcommand);
  const slow = host.faults.take('slow', inScope(subcommand));
  if (slow !== null) await pause(host, slow.ms);
  if (!host.state.programs.has(program.hash)) {
    const broken = host.faults.take('storeFails');
    if (broken !== null) return fail('store', broken.says);
    say(frames.need);
    await receive(speaking, 'program', subcommand, program.bytes, (bytes) => {
      if (sha256(bytes) === program.hash) host.state.programs.add(program.hash);
    });
    if (!host.state.programs.has(program.hash)) return fail('corrupt', '');
  }
  say(frames.run);
  const fields = readFields(subcommand, lines);
  if (fields !== null) host.record({ subcommand, fields });
  const refused = host.faults.take('refuse', inScope(subcommand));
  await passPoint(host, 'beforeEffect', subcommand);
  const reply =
    fields === null
      ? refusal('InvalidRequest', 'the request lacks a field')
      : refused !== null
        ? refusal(refused.code, refused.message)
        : await runCommand(host, subcommand, {
            fields,
            program: program.hash,
            receive: (bytes) => {
              channel.write(`${payloadPrompt}\n`);
              return receive(speaking, 'payload', subcommand, bytes, () => {});
            },
          });
  if (inbox.ended) throw new Gone();
  await passPoint(host, 'afterEffect', subcommand);
  await writeReply(speaking, subcommand, reply);
  say(`${frames.end} ${reply.ok === true ? 0 : 1}`);
  return 0;
}

async function writeReply(
  { channel, host }: Speaking,
  subcommand: Subcommand,
  reply: unknown,
): Promise<void> {
  const garbage = host.faults.take('garbage', inScope(subcommand));
  const bytes = Buffer.from(garbage?.bytes ?? `${JSON.stringify(reply)}\n`);
  const half = Math.floor(bytes.length / 2);
  channel.write(bytes.subarray(0, half));
  await passPoint(host, 'reply', subcommand);
  channel.write(bytes.subarray(half));
}

async function receive(
  { inbox, host }: Speaking,
  what: 'program' | 'payload',
  subcommand: Subcommand,
  bytes: number,
  then: (bytes: Buffer) => void,
): Promise<Buffer> {
  const first = await inbox.bytes(Math.floor(bytes / 2));
  await passPoint(host, what, subcommand);
  const rest = await inbox.bytes(bytes - Math.floor(bytes / 2));
  if (first === null || rest === null) throw new Gone();
  const whole = Buffer.concat([first, rest]);
  then(whole);
  return whole;
}

export const inScope =
  (subcommand: Subcommand | null) =>
  (fault: { subcommand?: Subcommand }): boolean =>
    fault.subcommand === undefined || fault.subcommand === subcommand;

/** A place where a fault may cut the connection or leave the other side waiting for ever. */
async function passPoint(host: ShellHost, at: FaultPoint, subcommand: Subcommand | null): Promise<void> {
  const fits = (fault: Extract<Fault, { kind: 'cut' | 'hang' }>): boolean =>
    fault.at === at && inScope(subcommand)(fault);
  if (host.faults.take('cut', fits) !== null) {
    host.cutConnection();
    throw new Gone();
  }
  if (host.faults.take('hang', fits) !== null) throw new Gone();
}

const pause = (host: Machine, ms: number): Promise<void> =>
  new Promise((resolve) => {
    host.clock.after(ms, resolve);
  });

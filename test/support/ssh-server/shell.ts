/**
 * The `/bin/sh` of a scripted host. It is no shell: it reads the scripts of bootstrap.ts, byte for byte, and does what
 * they would do. Anything else is a syntax error, as loudly as a real one.
 */
import type { ServerChannel } from 'ssh2';
import { becomeRoot, frames, payloadPrompt, runProgram } from '../../../controllers/lib/host/bootstrap.ts';
import { type Subcommand, subcommands } from '../../../controllers/lib/host/protocol.ts';
import { runCommand } from './commands.ts';
import { createInbox, type Inbox } from './inbox.ts';
import { type Fields, type Reply, readFields, refusal } from './invocation.ts';
import { sha256 } from './payload.ts';
import { Gone, inScope, type Passage, passageOf } from './points.ts';
import type { Machine } from './state.ts';

export type ShellHost = Machine & {
  /** One entry for each call that reached the program; returns what takes the answer: `ok` or the code of the refusal. */
  record(call: { subcommand: Subcommand; fields: Fields }): (answer: string) => void;
  cutConnection(): void;
};

export async function serveShell(channel: ServerChannel, user: string, host: ShellHost): Promise<void> {
  const inbox = createInbox(channel);
  const pass = passageOf(host, inbox);
  try {
    const exitStatus = await dialogue({ channel, inbox, host, pass }, user);
    channel.exit(exitStatus);
    channel.end();
  } catch (error) {
    if (!(error instanceof Gone) && !inbox.ended) throw error;
  }
}

type Session = { channel: ServerChannel; inbox: Inbox; host: ShellHost; pass: Passage };

async function dialogue(session: Session, user: string): Promise<number> {
  const { channel, inbox, host, pass } = session;
  await pass('session', null);
  const noShell = host.faults.take('notAShell');
  if (noShell !== null) {
    channel.write(noShell.says);
    return noShell.exitStatus;
  }
  const chatter = host.faults.take('chatter');
  if (chatter?.before !== undefined) channel.write(chatter.before);
  const script = await inbox.script();
  if (script === null) return 0;
  const status = await runScript(session, script, user);
  if (chatter?.after !== undefined) channel.write(chatter.after);
  return status;
}

async function runScript(session: Session, script: string, user: string): Promise<number> {
  const { channel, inbox, host } = session;
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
    return next === null ? 0 : runScript(session, next, 'root');
  }
  const parsed = parseMain(script, nonce);
  if (parsed === null) {
    channel.stderr.write('/bin/sh: 1: Syntax error: this is not a script of the operator\n');
    return 2;
  }
  if (user !== 'root') return fail('notroot', user);
  return runMain({ ...session, say, fail }, parsed);
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

type Speaking = Session & {
  say: (words: string) => unknown;
  fail: (code: string, message: string) => number;
};

async function runMain(speaking: Speaking, { program, subcommand, lines }: Main): Promise<number> {
  const { inbox, host, pass, say, fail } = speaking;
  await pass('script', subcommand);
  const slow = host.faults.take('slow', inScope(host, subcommand));
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
  const reply = await answer(speaking, program.hash, subcommand, lines);
  if (inbox.ended) throw new Gone();
  await pass('afterEffect', subcommand);
  await writeReply(speaking, subcommand, reply);
  say(`${frames.end} ${reply.ok === true ? 0 : 1}`);
  await pass('replied', subcommand);
  return 0;
}

async function answer(
  speaking: Speaking,
  program: string,
  subcommand: Subcommand,
  lines: readonly string[],
): Promise<Reply> {
  const { channel, host, pass } = speaking;
  const fields = readFields(subcommand, lines);
  const note = fields === null ? null : host.record({ subcommand, fields });
  const refused = host.faults.take('refuse', inScope(host, subcommand));
  await pass('beforeEffect', subcommand);
  if (fields === null) return refusal('InvalidRequest', 'the request lacks a field');
  if (refused !== null) return refusal(refused.code, refused.message);
  const receivePayload = (bytes: number) => {
    channel.write(`${payloadPrompt}\n`);
    return receive(speaking, 'payload', subcommand, bytes, () => {});
  };
  const reply = await runCommand(host, subcommand, { fields, program, receive: receivePayload });
  note?.(reply.ok === true ? 'ok' : String(reply.code));
  return reply;
}

async function writeReply(
  { channel, host, pass }: Speaking,
  subcommand: Subcommand,
  reply: Reply,
): Promise<void> {
  const garbage = host.faults.take('garbage', inScope(host, subcommand));
  const bytes = Buffer.from(garbage?.bytes ?? `${JSON.stringify(reply)}\n`);
  const half = Math.floor(bytes.length / 2);
  channel.write(bytes.subarray(0, half));
  await pass('reply', subcommand);
  channel.write(bytes.subarray(half));
}

async function receive(
  { inbox, pass }: Speaking,
  what: 'program' | 'payload',
  subcommand: Subcommand,
  bytes: number,
  then: (bytes: Buffer) => void,
): Promise<Buffer> {
  const first = await inbox.bytes(Math.floor(bytes / 2));
  await pass(what, subcommand);
  const rest = await inbox.bytes(bytes - Math.floor(bytes / 2));
  if (first === null || rest === null) throw new Gone();
  const whole = Buffer.concat([first, rest]);
  then(whole);
  return whole;
}

const pause = (host: Machine, ms: number): Promise<void> =>
  new Promise((resolve) => {
    host.clock.after(ms, resolve);
  });

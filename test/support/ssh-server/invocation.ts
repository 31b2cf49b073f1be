import type { refusalCodes, Subcommand } from '../../../controllers/lib/host/protocol.ts';
import { fieldsOf } from '../../../controllers/lib/host/request.ts';
import { type Job, type Machine, unixNow } from './state.ts';

export type Fields = Readonly<Record<string, string | number>>;
export type Reply = Record<string, unknown>;

/** What a running command has besides the machine. */
export type Invocation = {
  fields: Fields;
  /** Hash under which the program was started. */
  program: string;
  /** Asks for the payload and waits for it. */
  receive(bytes: number): Promise<Buffer>;
};

export type Command = (machine: Machine, call: Invocation) => Reply | Promise<Reply>;
export const accepted: Reply = { ok: true };

/** Thrown to refuse. */
export class Refusal extends Error {
  readonly code: string;
  constructor(code: (typeof refusalCodes)[number], message: string) {
    super(message);
    this.code = code;
  }
}

export const refusal = (code: string, message: string): Reply => ({
  ok: false,
  code,
  messageB64: Buffer.from(message).toString('base64'),
});

/** Request lines to values; null for a request that the program would not read. */
export function readFields(subcommand: Subcommand, lines: readonly string[]): Fields | null {
  const given = new Map(
    lines.map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)]),
  );
  const fields: Record<string, string | number> = {};
  for (const { name, type } of fieldsOf(subcommand)) {
    const value = given.get(name);
    if (value === undefined || !alphabet[type].test(value)) return null;
    if (type === 'int') fields[name] = Number(value);
    else fields[name] = type === 'hex' ? value : Buffer.from(value, 'base64').toString('utf8');
  }
  return fields;
}

const alphabet = { hex: /^[0-9a-f]+$/, int: /^[0-9]{1,15}$/, text: /^[A-Za-z0-9+/]*={0,2}$/ };

export const text = (value: string | number | undefined): string => String(value ?? '');
export const int = (value: string | number | undefined): number => Number(value ?? 0);

/** Lets only the owner's newest operator pass. */
export function admit({ state, witness }: Machine, { fields }: Invocation): void {
  const { owner } = state;
  if (owner === null) throw new Refusal('NotClaimed', 'nobody has claimed this host yet');
  if (owner.installation !== fields.installation) {
    throw new Refusal(
      'OwnedByOther',
      `this host belongs to ${owner.owner} of the installation ${owner.installation}`,
    );
  }
  const fence = int(fields.fence);
  if (fence < owner.fence) {
    throw new Refusal('Fenced', `a newer operator (fence ${owner.fence}) was here; this one has ${fence}`);
  }
  owner.fence = fence;
  witness.admitted(owner);
}

export const newJob = (machine: Machine, subject: string): Job => ({
  state: 'Running',
  startedAt: unixNow(machine.clock),
  message: '',
  subject,
  extra: '',
});

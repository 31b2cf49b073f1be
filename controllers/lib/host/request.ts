import { HostError } from './host-error.ts';
import type { HostRequest, Subcommand } from './protocol.ts';
import { subcommands } from './protocol.ts';

type Field = { name: string; type: 'hex' | 'int' | 'text' };

/**
 * The request's lines, `name value`, in the order of `subcommands`: hex and integers as they are, text as base64.
 * What would not arrive as it is, is refused here with `InvalidRequest`, so that no value is ever read by a shell.
 */
export function encodeRequest<S extends Subcommand>(subcommand: S, request: HostRequest<S>): string[] {
  const given = request as Readonly<Record<string, unknown>>;
  return fieldsOf(subcommand).map(({ name, type }) => `${name} ${encodeField(name, type, given[name])}`);
}

/** The fields of a subcommand in the order of sending. */
export const fieldsOf = (subcommand: Subcommand): Field[] =>
  Object.entries(subcommands[subcommand].fields).map(([name, type]) => ({ name, type }));

function encodeField(name: string, type: Field['type'], value: unknown): string {
  switch (type) {
    case 'hex':
      if (typeof value === 'string' && /^[0-9a-f]+$/.test(value)) return value;
      throw invalid(name, 'lower-case hex digits');
    case 'int':
      if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return String(value);
      throw invalid(name, 'a whole number that is not negative');
    case 'text':
      // A lone surrogate has no UTF-8: it would arrive as something else than what was sent.
      if (typeof value === 'string' && value.isWellFormed()) return Buffer.from(value).toString('base64');
      throw invalid(name, 'well-formed text');
  }
}

const invalid = (name: string, expected: string): HostError =>
  new HostError('Refused', `the request's field ${name} is not ${expected}`, { refusal: 'InvalidRequest' });

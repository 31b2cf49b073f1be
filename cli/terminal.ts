import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

/** Where a command writes. Results go to `out`, everything that is said about them to `err`. */
export type Terminal = {
  /** A line of the result. */
  out(line: string): void;
  /** A line for people. */
  err(line: string): void;
  /** Colours what goes to `out`; unchanged where there is no terminal, or where `NO_COLOR` is set. */
  style(style: Style, text: string): string;
};

export function terminalOf(out: NodeJS.WriteStream, err: NodeJS.WriteStream): Terminal {
  return {
    out: (line) => void out.write(`${line}\n`),
    err: (line) => void err.write(`${line}\n`),
    style: (style, text) => styleText(style, text, { stream: out, validateStream: true }),
  };
}

/**
 * What came from elsewhere, made harmless to print: a host's message could otherwise move the cursor or retitle the
 * window. Newlines and tabs stay.
 */
export const printable = (text: string): string =>
  text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '\ufffd');

/** The same with every text inside of a value. */
export function allPrintable<T>(value: T): T {
  if (typeof value === 'string') return printable(value) as T;
  if (Array.isArray(value)) return value.map(allPrintable) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, allPrintable(inner)])) as T;
}

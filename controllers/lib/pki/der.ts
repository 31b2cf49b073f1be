/** DER (X.690), as far as certificates need it: definite lengths, values as bytes. */
import { PkiError } from './pki-error.ts';

type Bytes = Uint8Array;

/** A value with its tag: `0x30` is a SEQUENCE. */
export function tagged(tag: number, ...content: readonly Bytes[]): Bytes {
  const length = content.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([Uint8Array.of(tag, ...lengthOf(length)), ...content]);
}

/** 8.1.3: below 128 in one byte, else a count of bytes and these. */
function lengthOf(length: number): number[] {
  if (length < 0x80) return [length];
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return [0x80 | bytes.length, ...bytes];
}

export const sequence = (...content: readonly Bytes[]): Bytes => tagged(0x30, ...content);
export const set = (...content: readonly Bytes[]): Bytes => tagged(0x31, ...content);
/** Of a number that is not negative, big-endian, without leading zeros; the sign needs a bit of its own. */
export const integer = (bytes: Bytes): Bytes =>
  tagged(0x02, bytes[0]! >= 0x80 ? Uint8Array.of(0) : Uint8Array.of(), bytes);
export const boolean = (value: true): Bytes => tagged(0x01, Uint8Array.of(value ? 0xff : 0));
export const octets = (content: Bytes): Bytes => tagged(0x04, content);
export const utf8 = (text: string): Bytes => tagged(0x0c, Buffer.from(text, 'utf8'));
export const nothing: Bytes = tagged(0x05);

/** Whole bytes. */
export const bits = (content: Bytes): Bytes => tagged(0x03, Uint8Array.of(0), content);

/** 11.2.2: of a list of named bits, bit 0 first, what is not set at the end is left out. At most eight. */
export function namedBits(numbers: readonly number[]): Bytes {
  const value = numbers.reduce((all, number) => all | (0x80 >> number), 0);
  const unused = numbers.length === 0 ? 0 : 7 - Math.max(...numbers);
  return tagged(0x03, Uint8Array.of(unused), value === 0 ? Uint8Array.of() : Uint8Array.of(value));
}

/** `2.5.4.3` */
export function identifier(dotted: string): Bytes {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return tagged(0x06, Uint8Array.from([first * 40 + second, ...rest].flatMap(base128)));
}

function base128(number: number): number[] {
  const bytes = [number & 0x7f];
  for (let rest = number >> 7; rest > 0; rest >>= 7) bytes.unshift(0x80 | (rest & 0x7f));
  return bytes;
}

/** In whole seconds. RFC 5280, 4.1.2.5: UTCTime through 2049, GeneralizedTime from then on. */
export function time(ms: number): Bytes {
  const written = new Date(ms).toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  if (!/^\d{14}Z$/.test(written)) throw new PkiError('a date that no certificate can hold');
  return written < '2050' && written >= '1950'
    ? tagged(0x17, Buffer.from(written.slice(2), 'latin1'))
    : tagged(0x18, Buffer.from(written, 'latin1'));
}

/** The content of the last member of a SEQUENCE that OpenSSL wrote. */
export function lastMember(der: Bytes): Bytes {
  let last = contentOf(der);
  for (let rest = last.content; rest.length > 0; rest = last.after) last = contentOf(rest);
  return last.content;
}

function contentOf(der: Bytes): { content: Bytes; after: Bytes } {
  const first = der[1]!;
  const counted = first < 0x80 ? 0 : first & 0x7f;
  const length =
    first < 0x80 ? first : der.subarray(2, 2 + counted).reduce((sum, byte) => sum * 256 + byte, 0);
  const from = 2 + counted;
  return { content: der.subarray(from, from + length), after: der.subarray(from + length) };
}

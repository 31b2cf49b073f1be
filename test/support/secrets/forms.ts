/** How a secret may look where it must not be. Pure. */

/** `of` names the secret in messages; `text` is what to look for. */
export type Pattern = { of: string; text: string };

/** Shorter lines are words that may be anywhere. */
export const leastSearched = 8;

/**
 * The lines of a secret, each in every form that a careless program gives to it: as it is, in base64 wherever in an
 * encoded text it begins, in hex, and as JSON has bytes. What is not text is looked for encoded only.
 */
export function patternsOf(of: string, value: string | Uint8Array): Pattern[] {
  const bytes = Buffer.from(value as string);
  const text = bytes.toString('utf8');
  const forms = Buffer.from(text).equals(bytes) ? linesOf(text).flatMap(formsOfLine) : formsOfBytes(bytes);
  return [...new Set(forms)].map((form) => ({ of, text: form }));
}

/** Of a key in PEM the first line of the body is the same in thousands of keys: OpenSSH's magic, or an algorithm. */
function linesOf(text: string): string[] {
  const lines = text.split(/[\r\n]+/).map((line) => line.trim());
  if (isPublic(lines)) return [];
  const body = lines.findIndex((line) => line.startsWith('-----BEGIN ')) + 1;
  return lines.filter(
    (line, at) => line.length >= leastSearched && !line.startsWith('-----') && (body === 0 || at !== body),
  );
}

/** Certificates stand in Secrets beside their keys, and are for everybody to see. */
function isPublic(lines: readonly string[]): boolean {
  const begun = lines.filter((line) => line.startsWith('-----BEGIN '));
  return begun.length > 0 && begun.every((line) => /^-----BEGIN (CERTIFICATE|PUBLIC KEY)-----$/.test(line));
}

const formsOfLine = (line: string): string[] => [line, ...formsOfBytes(Buffer.from(line))];

function formsOfBytes(bytes: Buffer): string[] {
  const numbers = [...bytes];
  return [
    ...[0, 1, 2].map((shift) => base64At(bytes, shift)),
    bytes.toString('hex'),
    numbers.join(','),
    numbers.map((byte, at) => `"${at}":${byte}`).join(','),
  ];
}

/** Characters that depend on what stands before or after are left out. */
function base64At(bytes: Buffer, shift: number): string {
  const encoded = Buffer.concat([Buffer.alloc(shift), bytes])
    .toString('base64')
    .replaceAll('=', '');
  return encoded.slice(shift === 0 ? 0 : shift + 1, -2);
}

/** One sentence a secret: whose it is, and what stands before it on its line. Never any of the secret. */
export function findIn(patterns: readonly Pattern[], text: string): string[] {
  const found = new Map<string, string>();
  for (const { of, text: wanted } of patterns) {
    const at = found.has(of) ? -1 : text.indexOf(wanted);
    if (at < 0) continue;
    const line = text
      .slice(Math.max(0, at - 60), at)
      .split(/[\n\0]|\\n/)
      .at(-1);
    found.set(of, `${of}, at ${line}[secret]`);
  }
  return [...found.values()];
}

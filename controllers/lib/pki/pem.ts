import { PkiError } from './pki-error.ts';

/** Larger than any bundle of authorities, smaller than what would hurt to read. */
const maximumLength = 1 << 20;

/** The certificates of a PEM text, in order, each with its final newline. What stands around them is ignored. */
export function splitPem(text: string): string[] {
  if (text.length > maximumLength) throw new PkiError('more than 1 MiB is no bundle of certificates');
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]*-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => `${block}\n`);
}

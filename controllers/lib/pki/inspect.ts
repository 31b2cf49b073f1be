/** What is read of a certificate at every look at a host: by OpenSSL, which takes a twentieth of a millisecond. */
import { X509Certificate } from 'node:crypto';
import { PkiError } from './pki-error.ts';

/** Milliseconds since the epoch. */
export type Validity = { notBefore: number; notAfter: number };

/** `certificate` is PEM or DER. Throws `PkiError`. */
export function validityOf(certificate: string | Uint8Array): Validity {
  const { validFromDate, validToDate } = read(certificate);
  return { notBefore: validFromDate.getTime(), notAfter: validToDate.getTime() };
}

/** SHA-256 over the DER of the first certificate of a PEM text, in lower-case hex. Throws `PkiError`. */
export const fingerprintOf = (pem: string): string =>
  read(pem).fingerprint256.replaceAll(':', '').toLowerCase();

function read(certificate: string | Uint8Array): X509Certificate {
  try {
    return new X509Certificate(certificate);
  } catch (cause) {
    throw new PkiError('not an X.509 certificate', { cause });
  }
}

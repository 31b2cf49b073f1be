/** Authorities that users bring along, and every way in which one cannot be used. Pure. */
import { X509Certificate } from 'node:crypto';
import { ReconcileError } from '../lib/core/outcome.ts';
import { Sealed } from '../lib/core/sealed.ts';
import { timestamp } from '../lib/core/timestamp.ts';
import type { Secret } from '../lib/kube/core-kinds.ts';
import { type Authority, parseAuthority } from '../lib/pki/authority.ts';
import { algorithmOf } from '../lib/pki/keys.ts';
import { splitPem } from '../lib/pki/pem.ts';
import { PkiError } from '../lib/pki/pki-error.ts';
import { x509 } from '../lib/pki/x509.ts';
import { textIn } from './secret-names.ts';

/**
 * The authority in a Secret of type kubernetes.io/tls: `tls.crt`, with intermediates behind the certificate, and
 * `tls.key`. Throws `ReconcileError` with a reason for each thing that can be wrong; `now` in milliseconds.
 */
export function importedAuthority(secret: Secret, now: number): Authority {
  const chain = certificatesIn(secret);
  const own = chain[0]!;
  if (!maySign(own)) {
    throw new ReconcileError(
      'terminal',
      'ImportedAuthorityNotCA',
      unusable(
        secret,
        'its certificate may not sign others (CA:TRUE, and keyCertSign among its key usages): put an authority there',
      ),
    );
  }
  for (const certificate of chain) assertValid(secret, certificate, now);
  assertChain(secret, chain);
  const key = textIn(secret, 'tls.key');
  if (!key) {
    throw new ReconcileError(
      'terminal',
      'ImportedAuthorityWithoutKey',
      unusable(
        secret,
        'it has no tls.key, without which nothing can be signed; give an intermediate whose key may be here',
      ),
    );
  }
  return withKey(secret, chain, new Sealed(key));
}

function certificatesIn(secret: Secret): X509Certificate[] {
  try {
    const all = splitPem(textIn(secret, 'tls.crt') ?? '').map((pem) => new X509Certificate(pem));
    if (all.length > 0) return all;
  } catch {
    // Said below: OpenSSL's words would not help.
  }
  throw new ReconcileError(
    'terminal',
    'ImportedAuthorityUnreadable',
    unusable(secret, 'its tls.crt has no certificate in PEM'),
  );
}

/** RFC 5280, 4.2.1.3 and 4.2.1.9. A certificate without key usages may be used for all. */
function maySign(certificate: X509Certificate): boolean {
  const usages = new x509.X509Certificate(new Uint8Array(certificate.raw)).getExtension(
    x509.KeyUsagesExtension,
  )?.usages;
  return certificate.ca && (usages === undefined || (usages & x509.KeyUsageFlags.keyCertSign) !== 0);
}

function assertValid(secret: Secret, certificate: X509Certificate, now: number): void {
  const name = commonNameOf(certificate);
  const [from, until] = [certificate.validFromDate, certificate.validToDate];
  if (until.getTime() <= now) {
    const message = `the certificate of ${name} ended at ${iso(until)}: put a valid one there`;
    throw new ReconcileError('terminal', 'ImportedAuthorityExpired', unusable(secret, message));
  }
  if (from.getTime() > now) {
    const message = `the certificate of ${name} begins at ${iso(from)}: wait, or look at the clock of the operator`;
    throw new ReconcileError('terminal', 'ImportedAuthorityNotYetValid', unusable(secret, message), {
      recheckMs: 60_000,
    });
  }
}

/** Each is signed by the one behind it; the last one by somebody who need not be there. */
function assertChain(secret: Secret, chain: readonly X509Certificate[]): void {
  for (const [at, certificate] of chain.slice(0, -1).entries()) {
    const above = chain[at + 1]!;
    if (certificate.checkIssued(above) && above.ca && certificate.verify(above.publicKey)) continue;
    const message = `${commonNameOf(above)} did not sign ${commonNameOf(certificate)}: put the authority first into tls.crt, and behind each certificate the one that signed it`;
    throw new ReconcileError('terminal', 'ImportedAuthorityChainBroken', unusable(secret, message));
  }
}

function withKey(secret: Secret, chain: readonly X509Certificate[], key: Sealed<string>): Authority {
  try {
    algorithmOf(key);
  } catch (error) {
    if (!(error instanceof PkiError)) throw error;
    throw new ReconcileError(
      'terminal',
      'ImportedAuthorityKeyUnusable',
      unusable(secret, `its tls.key is ${error.message}`),
    );
  }
  // Nobody needs to be sent a root: it is trusted or it is not.
  const served = chain.filter((one, at) => at === 0 || one.subject !== one.issuer);
  try {
    return parseAuthority(served.map((one) => one.toString()).join(''), key);
  } catch (error) {
    if (!(error instanceof PkiError)) throw error;
    throw new ReconcileError(
      'terminal',
      'ImportedAuthorityKeyMismatch',
      unusable(secret, 'its tls.key is not the key of the first certificate in tls.crt'),
    );
  }
}

/** Of a certificate that somebody made: clipped, since it goes into a message. */
const commonNameOf = (certificate: X509Certificate): string =>
  JSON.stringify((/(?:^|\n)CN=(.*)/.exec(certificate.subject)?.[1] ?? certificate.subject).slice(0, 80));

const iso = (date: Date): string => timestamp(date.getTime());

const unusable = (secret: Secret, why: string): string =>
  `Secret ${secret.metadata.name} cannot be imported: ${why}`;

import { type Authority, endOf } from './authority.ts';
import { type Issuance, sign, skewAllowanceMs } from './certificate.ts';
import { publicKeyOf } from './keys.ts';
import { x509 } from './x509.ts';

/**
 * `newer` as certified by `older` (PEM): served behind leaves of the newer, it leads clients who know only the older one
 * to something that they trust (RFC 4210, 4.4). It ends when the first of both does. Null where the older one may not
 * have another authority below it or has ended, or where both have the same name, so that clients could not tell which
 * is meant.
 */
export async function crossSign(
  newer: Authority,
  older: Authority,
  issuance: Issuance,
): Promise<string | null> {
  const [own, above] = [newer, older].map(({ certificate }) => new x509.X509Certificate(certificate));
  const limit = above!.getExtension(x509.BasicConstraintsExtension)?.pathLength;
  const notBefore = issuance.now - skewAllowanceMs;
  const notAfter = Math.min(endOf(newer), endOf(older));
  if (limit === 0 || own!.subject === above!.subject || notAfter <= issuance.now) return null;
  return sign(
    {
      commonName: '',
      organizations: [],
      dnsNames: [],
      ipAddresses: [],
      usages: ['digital signature', 'cert sign', 'crl sign'],
      authority: { pathLength: own!.getExtension(x509.BasicConstraintsExtension)?.pathLength },
      subjectOf: newer.certificate,
      notBefore,
      notAfter,
    },
    publicKeyOf(newer.key),
    older,
    issuance.random,
  );
}

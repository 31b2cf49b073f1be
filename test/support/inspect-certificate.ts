import { createHash } from 'node:crypto';
import { canonicalAddress } from '../../controllers/lib/pki/ip-address.ts';
import { splitPem } from '../../controllers/lib/pki/pem.ts';
import { PkiError } from '../../controllers/lib/pki/pki-error.ts';
import { x509 } from '../../controllers/lib/pki/x509.ts';

/** What a certificate says of itself. Nothing here proves who signed it. */
export type CertificateFacts = {
  commonName: string;
  organizations: string[];
  issuerCommonName: string;
  /** Hexadecimal. */
  serial: string;
  /** Milliseconds since the epoch. */
  notBefore: number;
  notAfter: number;
  dnsNames: string[];
  /** Spelled as RFC 5952 says. */
  ipAddresses: string[];
  isAuthority: boolean;
  /** SHA-256 over the DER encoding, in lower-case hex. */
  fingerprint: string;
};

/** The first certificate of a PEM text. Throws `PkiError`. */
export function inspectCertificate(pem: string): CertificateFacts {
  const [first] = splitPem(pem);
  if (first === undefined) throw new PkiError('no certificate in PEM found');
  const certificate = readCertificate(first);
  const names = certificate.getExtension(x509.SubjectAlternativeNameExtension)?.names.items ?? [];
  return {
    commonName: certificate.subjectName.getField('CN')[0] ?? '',
    organizations: certificate.subjectName.getField('O'),
    issuerCommonName: certificate.issuerName.getField('CN')[0] ?? '',
    serial: certificate.serialNumber,
    notBefore: certificate.notBefore.getTime(),
    notAfter: certificate.notAfter.getTime(),
    dnsNames: names.filter((name) => name.type === 'dns').map((name) => name.value),
    ipAddresses: names.filter((name) => name.type === 'ip').map((name) => canonicalAddress(name.value)),
    isAuthority: certificate.getExtension(x509.BasicConstraintsExtension)?.ca ?? false,
    fingerprint: createHash('sha256').update(new Uint8Array(certificate.rawData)).digest('hex'),
  };
}

function readCertificate(pem: string): x509.X509Certificate {
  try {
    return new x509.X509Certificate(pem);
  } catch (cause) {
    throw new PkiError('not an X.509 certificate', { cause });
  }
}

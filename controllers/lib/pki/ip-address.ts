import ipaddr from 'ipaddr.js';
import { PkiError } from './pki-error.ts';

/**
 * The one spelling of an address (RFC 5952). @peculiar/x509 encodes an IPv6 address wrongly where it ends in a dotted
 * IPv4 one, so nothing else is given to it. Throws `PkiError` on what is no address, and on a zone.
 */
export function canonicalAddress(text: string): string {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text).toString();
  if (!ipaddr.IPv6.isValid(text) || text.includes('%')) {
    throw new PkiError(`not an IP address for a certificate: ${JSON.stringify(text)}`);
  }
  // Not by ipaddr.js, which takes `::192.0.2.1` for the mapped `::ffff:192.0.2.1`.
  const url = URL.parse(`http://[${text}]`);
  if (url === null) throw new PkiError(`not an IP address for a certificate: ${JSON.stringify(text)}`);
  return url.hostname.slice(1, -1);
}

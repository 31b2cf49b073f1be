import ipaddr from 'ipaddr.js';
import { PkiError } from './pki-error.ts';

/**
 * The one spelling of an address (RFC 5952). @peculiar/x509 encodes an IPv6 address wrongly where it ends in a dotted
 * IPv4 one, so nothing else is given to it. Throws `PkiError` on what is no address, and on a zone.
 */
export function canonicalAddress(text: string): string {
  const { IPv4, IPv6 } = ipaddr;
  if (IPv4.isValidFourPartDecimal(text)) return IPv4.parse(text).toString();
  if (!IPv6.isValid(text) || text.includes('%')) {
    throw new PkiError(`not an IP address for a certificate: ${JSON.stringify(text)}`);
  }
  return IPv6.parse(text).toRFC5952String();
}

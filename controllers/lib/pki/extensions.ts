/** The extensions of a certificate (RFC 5280, 4.2), in DER. */
import ipaddr from 'ipaddr.js';
import type { KeyUsage, Statement } from './certificate.ts';
import { boolean, identifier, integer, namedBits, octets, sequence, tagged } from './der.ts';
import { canonicalAddress } from './ip-address.ts';
import { PkiError } from './pki-error.ts';

type Said = Pick<Statement, 'authority' | 'usages' | 'dnsNames' | 'ipAddresses'>;

/** Bits of the key usage extension (4.2.1.3). */
const keyUsageBits: Partial<Record<KeyUsage, number>> = {
  'digital signature': 0,
  'key encipherment': 2,
  'cert sign': 5,
  'crl sign': 6,
};
const extendedUsages: Partial<Record<KeyUsage, Uint8Array>> = {
  'server auth': identifier('1.3.6.1.5.5.7.3.1'),
  'client auth': identifier('1.3.6.1.5.5.7.3.2'),
};

const of = {
  subjectKeyIdentifier: identifier('2.5.29.14'),
  keyUsage: identifier('2.5.29.15'),
  subjectAltName: identifier('2.5.29.17'),
  basicConstraints: identifier('2.5.29.19'),
  authorityKeyIdentifier: identifier('2.5.29.35'),
  extendedKeyUsage: identifier('2.5.29.37'),
};

/** An authority made elsewhere may have no identifier of its own; then there is nothing to point to. */
export function extensionsOf(said: Said, own: Uint8Array, above: Uint8Array | undefined): Uint8Array {
  const usages = said.usages.flatMap((usage) => keyUsageBits[usage] ?? []);
  const extended = said.usages.flatMap((usage) => extendedUsages[usage] ?? []);
  const names = [...said.dnsNames.map(dnsName), ...said.ipAddresses.map(ipAddress)];
  return sequence(
    critical(of.basicConstraints, constraintsOf(said.authority)),
    critical(of.keyUsage, namedBits(usages)),
    extension(of.subjectKeyIdentifier, octets(own)),
    ...(above === undefined ? [] : [extension(of.authorityKeyIdentifier, sequence(tagged(0x80, above)))]),
    ...(extended.length === 0 ? [] : [extension(of.extendedKeyUsage, sequence(...extended))]),
    ...(names.length === 0 ? [] : [extension(of.subjectAltName, sequence(...names))]),
  );
}

const extension = (type: Uint8Array, value: Uint8Array): Uint8Array => sequence(type, octets(value));
const critical = (type: Uint8Array, value: Uint8Array): Uint8Array =>
  sequence(type, boolean(true), octets(value));

/** What is false is the default, and DER leaves defaults out. */
function constraintsOf(authority: Statement['authority']): Uint8Array {
  if (authority === null) return sequence();
  const { pathLength } = authority;
  return sequence(boolean(true), ...(pathLength === undefined ? [] : [integer(Uint8Array.of(pathLength))]));
}

/** An IA5String: names in other scripts come as `xn--`. */
function dnsName(name: string): Uint8Array {
  if (!/^[\x21-\x7e]+$/.test(name))
    throw new PkiError(`not a DNS name for a certificate: ${JSON.stringify(name)}`);
  return tagged(0x82, Buffer.from(name, 'latin1'));
}

const ipAddress = (written: string): Uint8Array =>
  tagged(0x87, Uint8Array.from(ipaddr.parse(canonicalAddress(written)).toByteArray()));

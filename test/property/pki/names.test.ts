import { X509Certificate } from 'node:crypto';
import { SocketAddress } from 'node:net';
import fc from 'fast-check';
import { createAuthority } from '../../../controllers/lib/pki/authority.ts';
import { certify } from '../../../controllers/lib/pki/leaf.ts';
import { inspectCertificate } from '../../support/inspect-certificate.ts';

const now = Date.UTC(2026, 10, 21);
const random = (bytes: number): Uint8Array => new Uint8Array(bytes).fill(7);
const year = 365 * 86_400_000;

/** Everything that a name could be mistaken for: separators, quotes, other attributes, other scripts. */
const name = fc.oneof(
  fc.string({ minLength: 1, maxLength: 60, unit: 'grapheme' }),
  fc.constantFrom('a,O=system:masters', 'a+CN=b', '"', '\\', '#0c01', ' x ', 'a\nb', 'ü', '系统', '/CN=x'),
);
const dns = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?(\.[a-z]{2,8}){0,3}$/);

type Asked = {
  commonName: string;
  organizations: string[];
  dnsNames: string[];
  ipAddresses: string[];
  lifetimeMs: number;
};
const plain: Asked = { commonName: 'x', organizations: [], dnsNames: [], ipAddresses: [], lifetimeMs: 1000 };

test('what is asked for comes back, whatever the names hold, and Node trusts the signature', async () => {
  const authority = await createAuthority(
    { commonName: 'root', algorithm: 'ECDSA-P256', lifetimeMs: 10 * year },
    { now, random },
  );
  const subject = await createAuthority(
    { commonName: 'x', algorithm: 'ECDSA-P256', lifetimeMs: year },
    { now, random },
  );
  const publicKey = new X509Certificate(subject.certificate).publicKey.export({
    type: 'spki',
    format: 'pem',
  }) as string;
  const issuer = new X509Certificate(authority.certificate);
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        commonName: name,
        organizations: fc.array(name, { maxLength: 3 }),
        dnsNames: fc.array(dns, { maxLength: 4 }),
        ipAddresses: fc.array(fc.oneof(fc.ipV4(), fc.ipV6()), { maxLength: 4 }),
        lifetimeMs: fc.integer({ min: 1000, max: 20 * year }),
      }),
      async (asked) => {
        const spec = { ...asked, ends: ['server auth'] as const, algorithm: 'ECDSA-P256' as const };
        const certificate = await certify(authority, spec, publicKey, { now, random });
        const facts = inspectCertificate(certificate);
        expect(facts.commonName).toBe(asked.commonName);
        expect(facts.organizations).toEqual(asked.organizations);
        expect(facts.dnsNames).toEqual(asked.dnsNames);
        expect(facts.ipAddresses.map(canonical)).toEqual(asked.ipAddresses.map(canonical));
        expect(facts.notAfter).toBe(
          Math.min(Math.floor((now + asked.lifetimeMs) / 1000) * 1000, now + 10 * year),
        );
        expect(facts.isAuthority).toBe(false);
        const parsed = new X509Certificate(certificate);
        expect(parsed.verify(issuer.publicKey)).toBe(true);
        for (const host of asked.dnsNames) expect(parsed.checkHost(host)).toBe(host);
        for (const address of asked.ipAddresses) expect(parsed.checkIP(address)).toBeDefined();
      },
    ),
    {
      numRuns: 60,
      // Both were wrong once: dotted ends, mapped and not.
      examples: ['::0.0.0.0', '::192.0.2.1', '::ffff:192.0.2.1', '::0:0:0:0:0:0.0.0.1'].map(
        (address): [Asked] => [{ ...plain, ipAddresses: [address] }],
      ),
    },
  );
});

/** One spelling for every address, by another hand than the one that is tested: Node's parser. */
const canonical = (address: string): string =>
  new SocketAddress({ address, family: address.includes(':') ? 'ipv6' : 'ipv4' }).address;

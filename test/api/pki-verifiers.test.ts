/** What others make of our certificates: OpenSSL with its purposes, and Go's x509, which Kubernetes and etcd use. */
import {
  type AuthorityState,
  authorityData,
  trustOf,
} from '../../controllers/clusterpki/authority-secret.ts';
import { authorityAt } from '../../controllers/clusterpki/rotation.ts';
import { Sealed } from '../../controllers/lib/core/sealed.ts';
import { parseAuthority } from '../../controllers/lib/pki/authority.ts';
import { crossSign } from '../../controllers/lib/pki/cross-sign.ts';
import { keyAlgorithms } from '../../controllers/lib/pki/keys.ts';
import { issueLeaf } from '../../controllers/lib/pki/leaf.ts';
import { splitPem } from '../../controllers/lib/pki/pem.ts';
import { type Verification, verifyWithGo } from '../support/go-x509.ts';
import { OpensslFolder } from '../support/openssl.ts';
import { idleAuthority, issuance, issueAll, newAuthority, newMaterial, secretOf } from '../support/pki.ts';
import { subject } from '../support/pki-subject.ts';

/** As OpenSSL verifies: what is served behind a leaf is `-untrusted`. */
function opensslSays(chain: string, trust: string, purpose: 'sslserver' | 'sslclient'): string {
  using openssl = new OpensslFolder();
  const [leaf = '', ...behind] = splitPem(chain);
  const files = { 'ca.crt': trust, 'leaf.crt': leaf, 'behind.crt': behind.join('') };
  const args = ['verify', '-x509_strict', '-partial_chain', '-purpose', purpose, '-CAfile', 'ca.crt'];
  try {
    return openssl.run(
      [...args, ...(behind.length > 0 ? ['-untrusted', 'behind.crt'] : []), 'leaf.crt'],
      files,
    );
  } catch (error) {
    return String((error as { stderr: string }).stderr);
  }
}

describe.each(keyAlgorithms)('certificates with %s', (algorithm) => {
  test('are good for what they are for, and for nothing else', async () => {
    const material = await newMaterial(algorithm);
    const leaves = await issueAll(subject, material, algorithm);
    const cases: (Verification & { name: string; good: boolean })[] = [];
    for (const { leaf, certificate } of leaves.values()) {
      const { trust } = material.authorities[leaf.authority];
      const others = Object.entries(material.authorities).filter(([name]) => name !== leaf.authority);
      const ends = {
        server: leaf.spec.ends.includes('server auth'),
        client: leaf.spec.ends.includes('client auth'),
      };
      for (const as of ['server', 'client'] as const) {
        cases.push({ chain: certificate, trust, as, name: '', good: ends[as] });
        const said = opensslSays(certificate, trust, as === 'server' ? 'sslserver' : 'sslclient');
        expect({ leaf: leaf.name, as, good: said.endsWith(': OK\n') }).toEqual({
          leaf: leaf.name,
          as,
          good: ends[as],
        });
        for (const [, other] of others)
          cases.push({ chain: certificate, trust: other.trust, as, name: '', good: false });
      }
      if (!ends.server) continue;
      for (const name of [...(leaf.spec.dnsNames ?? []), ...(leaf.spec.ipAddresses ?? [])])
        cases.push({ chain: certificate, trust, as: 'server', name, good: true });
      cases.push({ chain: certificate, trust, as: 'server', name: 'node2', good: false });
    }
    const said = await verifyWithGo(cases);
    const wrong = cases.filter(({ good }, at) => good !== (said[at] === ''));
    expect(wrong.map(({ as, name }) => ({ as, name }))).toEqual([]);
    expect(cases.filter(({ good }) => good).length).toBeGreaterThan(30);
  });
});

describe('in every stage of a rotation', () => {
  type Shown = { stage: string; chain: string; trust: string };

  async function stages(older: ReturnType<typeof idleAuthority>): Promise<Shown[]> {
    const newer = await newAuthority('newer');
    const vouched = await crossSign(newer, older.signer, issuance());
    const next = { ...newer, chain: vouched ?? '' };
    const steps = ['Distribute', 'Reissue', 'Retire', 'Idle'] as const;
    const states: AuthorityState[] = [older];
    for (const stage of steps)
      states.push(authorityAt(states.at(-1)!, { request: 'a', stage, startedAt: '' }, next));
    return Promise.all(
      states.map(async (state) => {
        // Through the Secret, as hosts get it.
        const secret = secretOf('ca', authorityData(state));
        const signer = parseAuthority(
          new TextDecoder().decode(secret.data['tls.crt']!.open()),
          new Sealed(new TextDecoder().decode(secret.data['tls.key']!.open())),
        );
        const spec = { commonName: 'x', dnsNames: ['x'], ends: ['server auth', 'client auth'] as const };
        const leaf = await issueLeaf(
          signer,
          { ...spec, algorithm: 'ECDSA-P256', lifetimeMs: 86_400_000 },
          issuance(),
        );
        return { stage: state.record.stage, chain: leaf.certificate, trust: trustOf(state).join('') };
      }),
    );
  }

  test('neighbours accept each other, and pods of before accept all until the last one', async () => {
    const all = await stages(idleAuthority(await newAuthority('older')));
    const pairs = all.flatMap((shown, at) =>
      [at - 1, at, at + 1].flatMap((other) => (all[other] ? [[shown, all[other]]] : [])),
    );
    // Pods that loaded the former authority: what Reissue shows them leads there.
    pairs.push([all[2]!, all[0]!]);
    const cases = pairs.flatMap(([shown, sees]) =>
      (['server', 'client'] as const).map((as) => ({
        chain: shown!.chain,
        trust: sees!.trust,
        as,
        name: '',
      })),
    );
    expect(await verifyWithGo(cases)).toEqual(cases.map(() => ''));
    for (const [shown, sees] of pairs) {
      expect(opensslSays(shown!.chain, sees!.trust, 'sslserver')).toMatch(/: OK\n$/);
      expect(opensslSays(shown!.chain, sees!.trust, 'sslclient')).toMatch(/: OK\n$/);
    }
    // And that is why all have to be started anew before Retire.
    const [refused] = await verifyWithGo([{ chain: all[3]!.chain, trust: all[0]!.trust, as: 'server' }]);
    expect(refused).toContain('unknown authority');
  });

  test('of an authority made by OpenSSL, with a name that is not ours', async () => {
    using openssl = new OpensslFolder();
    openssl.run(['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', 'ca.key']);
    const subjectName = '/C=DE/ST=Bavaria/O=Beispiel GmbH/OU=Ünit/CN=Example Root';
    const request = [
      'req',
      '-x509',
      '-new',
      '-utf8',
      '-key',
      'ca.key',
      '-subj',
      subjectName,
      '-days',
      '90',
      '-addext',
      'keyUsage=critical,keyCertSign,cRLSign',
    ];
    const certificate = openssl.run(request);
    const key = new Sealed(openssl.run(['enc', '-in', 'ca.key']));
    const theirs = parseAuthority(certificate, key);
    const all = await stages(idleAuthority(theirs));
    const cases = [
      [0, 0],
      [0, 1],
      [2, 0],
      [2, 1],
    ].map(([shows, sees]) => ({
      chain: all[shows!]!.chain,
      trust: all[sees!]!.trust,
      as: 'server' as const,
    }));
    expect(await verifyWithGo(cases)).toEqual(['', '', '', '']);
    // And the other way round: theirs takes over from ours.
    const ours = await newAuthority('ours');
    const vouched = await crossSign(theirs, ours, issuance());
    const spec = {
      commonName: 'x',
      ends: ['client auth'] as const,
      algorithm: 'ECDSA-P256' as const,
      lifetimeMs: 86_400_000,
    };
    const leaf = await issueLeaf({ ...theirs, chain: vouched! }, spec, issuance());
    const to = [ours.certificate, theirs.certificate].map((trust) => ({
      chain: leaf.certificate,
      trust,
      as: 'client' as const,
    }));
    expect(await verifyWithGo(to)).toEqual(['', '']);
    for (const { trust } of to) expect(opensslSays(leaf.certificate, trust, 'sslclient')).toMatch(/: OK\n$/);
  });
});

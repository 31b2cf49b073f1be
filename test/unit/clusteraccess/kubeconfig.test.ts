import { randomBytes } from 'node:crypto';
import { parse } from 'yaml';
import { unboundIn } from '../../../controllers/clusteraccess/bindings.ts';
import {
  issue,
  judge,
  renewalOf,
  textOf,
  type Wanted,
} from '../../../controllers/clusteraccess/kubeconfig.ts';
import { Sealed } from '../../../controllers/lib/core/sealed.ts';
import { createAuthority } from '../../../controllers/lib/pki/authority.ts';
import { fingerprintOf, validityOf } from '../../../controllers/lib/pki/inspect.ts';

const now = Date.parse('2026-11-21T12:00:00Z');
const hour = 3_600_000;
const day = 24 * hour;
const issuance = { now, random: randomBytes };

async function authority(commonName: string, lifetimeMs = 3650 * day): Promise<Wanted['authority']> {
  const signer = await createAuthority({ commonName, algorithm: 'ECDSA-P256', lifetimeMs }, issuance);
  const { notAfter } = validityOf(signer.certificate);
  const fingerprint = fingerprintOf(signer.certificate);
  return { signer, fingerprint, trust: signer.certificate, trustFingerprint: fingerprint, notAfter };
}

async function wantedWith(more: Partial<Wanted> = {}): Promise<Wanted> {
  return {
    name: 'ops@demo',
    server: 'https://kube.example.com:6443',
    user: 'ops',
    groups: ['a', 'b'],
    lifetimeMs: 90 * day,
    algorithm: 'ECDSA-P256',
    authority: await authority('one'),
    ...more,
  };
}

let wanted: Wanted;
let text: Sealed<string>;
beforeAll(async () => {
  wanted = await wantedWith();
  text = textOf(wanted, await issue(wanted, issuance));
});

test('what was made is kept as it is', () => {
  const judged = judge(text, wanted, now);
  expect(judged.act === 'keep' && judged.text.open()).toBe(text.open());
});

test('all entries have one name, so that files can be merged', () => {
  const { clusters, users, contexts, ...config } = parse(text.open());
  expect([clusters[0].name, users[0].name, contexts[0].name, config['current-context']]).toEqual(
    Array(4).fill('ops@demo'),
  );
});

test.each<[what: string, change: Partial<Wanted>]>([
  ['another server', { server: 'https://other:6443' }],
  ['groups in another order', { groups: ['b', 'a'] }],
  ['another algorithm for the next key', { algorithm: 'RSA-4096' }],
])('the certificate stays for %s', (_, change) => {
  expect(judge(text, { ...wanted, ...change }, now).act).toBe('keep');
});

test.each<[because: string, change: Partial<Wanted>]>([
  ['user or groups are others', { user: 'other' }],
  ['user or groups are others', { groups: ['a'] }],
  ['the lifetime is another one', { lifetimeMs: 91 * day }],
])('%s', (because, change) => {
  expect(judge(text, { ...wanted, ...change }, now)).toEqual({ act: 'issue', because });
});

test('another authority, even one of the same name', async () => {
  const other = { ...wanted, authority: await authority('one') };
  expect(judge(text, other, now)).toEqual({ act: 'issue', because: 'the authority is another one' });
});

test('both trusted, the same signs: written anew, with the same certificate', async () => {
  const both = { ...wanted.authority, trust: wanted.authority.trust + (await authority('two')).trust };
  const judged = judge(text, { ...wanted, authority: both }, now);
  expect(judged.act === 'keep' && judged.text.open() !== text.open()).toBe(true);
});

test('two thirds of its life: neither earlier nor later', () => {
  const renewAt = now + 60 * day;
  expect(judge(text, wanted, renewAt - hour).act).toBe('keep');
  expect(judge(text, wanted, renewAt + hour)).toEqual({
    act: 'issue',
    because: 'two thirds of its life are over',
  });
});

test('a certificate that begins in the future was made by a clock that was wrong', () => {
  expect(judge(text, wanted, now - day)).toEqual({ act: 'issue', because: 'it begins in the future' });
});

test('one that ends with its authority is not made again and again', async () => {
  const short = await wantedWith({ authority: await authority('short', 30 * day) });
  const credential = await issue(short, issuance);
  const { notAfter } = validityOf(credential.certificate);
  expect(notAfter).toBe(short.authority.notAfter);
  expect(renewalOf(credential.certificate, short.authority)).toBe(notAfter);
  expect(judge(textOf(short, credential), short, now + 29 * day).act).toBe('keep');
});

test.each([
  ['nothing', ''],
  ['no YAML', 'a: ['],
  ['aliases', 'users: &a [*a]'],
  ['another user', 'users: [{ user: { token: x } }]'],
  [
    'a certificate that is none',
    'users: [{ user: { client-certificate-data: eA==, client-key-data: eA== } }]',
  ],
])('where there is %s, it is made', (_, found) => {
  expect(judge(new Sealed(found), wanted, now)).toEqual({
    act: 'issue',
    because: 'it held no certificate with its key',
  });
});

test('a key that belongs to another certificate', async () => {
  const config = parse(text.open());
  const other = parse(textOf(wanted, await issue(wanted, issuance)).open());
  config.users[0].user['client-key-data'] = other.users[0].user['client-key-data'];
  expect(judge(new Sealed(JSON.stringify(config)), wanted, now).act).toBe('issue');
});

describe('who is bound', () => {
  const person = { user: 'ops', groups: ['a', 'b'] };
  const binding = (...subjects: unknown[]) => ({ subjects });
  const of = (kind: string, name: string) => ({ kind, name });

  test.each<[what: string, bindings: { subjects?: unknown }[], said: RegExp | null]>([
    ['all groups', [binding(of('Group', 'a')), binding(of('User', 'x'), of('Group', 'b'))], null],
    ['one group', [binding(of('Group', 'a'))], /^nothing in the cluster is bound to group b$/],
    ['the user alone', [binding(of('User', 'ops'))], /bound to group a, group b$/],
    [
      'a user of the name of a group',
      [binding(of('User', 'a'))],
      /may do nothing: .* names user ops, group a, group b$/,
    ],
    ['nobody', [], /may do nothing/],
    ['what is no list', [{ subjects: 'x' }, {}, { subjects: [null, 7] }], /may do nothing/],
  ])('%s', (_, bindings, said) => {
    const found = unboundIn(bindings, person);
    if (said === null) expect(found).toBeNull();
    else expect(found).toMatch(said);
  });
});

/** ClusterPKI from its first Secret to a rotation that is taken back, against a real API server. */
import { randomBytes } from 'node:crypto';
import { materialOf } from '../../controllers/clusterpki/material.ts';
import { type Origins, originsOf } from '../../controllers/clusterpki/shared-files.ts';
import { createAuthority, createIntermediate } from '../../controllers/lib/pki/authority.ts';
import { splitPem } from '../../controllers/lib/pki/pem.ts';
import { type PkiPlay, pkiIn, type SeenPki, startPkiPlay } from '../support/clusterpkis.ts';
import { eventually } from '../support/eventually.ts';
import { expectHonestStatus } from '../support/honest-status.ts';
import { inspectCertificate } from '../support/inspect-certificate.ts';
import type { Fields } from '../support/play.ts';

let play: PkiPlay;

beforeAll(async () => {
  play = await startPkiPlay();
}, 120_000);

afterAll(async () => {
  await play?.stop();
});

const five = [
  'demo-cluster-ca',
  'demo-encryption',
  'demo-etcd-ca',
  'demo-front-proxy-ca',
  'demo-service-account',
];

/** What a host of these roles says once it has what the Secrets say now. */
async function origins(namespace: string, roles: ('control-plane' | 'worker')[]): Promise<Origins> {
  const [cluster, encryption, etcd, frontProxy, serviceAccount] = await Promise.all(
    five.map((name) => play.secret(namespace, name)),
  );
  return originsOf(
    { roles },
    materialOf({
      cluster: cluster!,
      etcd: etcd!,
      frontProxy: frontProxy!,
      serviceAccount: serviceAccount!,
      encryption: encryption!,
    }),
  );
}

const textOf = async (namespace: string, name: string, key: string): Promise<string> =>
  new TextDecoder().decode((await play.secret(namespace, name)).data[key]?.open());
const stageOf = (seen: SeenPki, name: string) =>
  seen.status.rotation?.find((rotation) => rotation.name === name)?.stage;
const fingerprintIn = (seen: SeenPki, name: string) =>
  seen.status.authorities?.find((authority) => authority.name === name)?.fingerprint;

describe('keys of a cluster', () => {
  const namespace = 'living';

  test('are made once every host said that it has none', async () => {
    await play.newNamespace(namespace);
    await play.newCluster(namespace, { node1: ['control-plane'], node2: ['worker'] });
    await play.apply([pkiIn(namespace)]);
    await play.hostSays(namespace, 'node1');
    const waiting = await play.until(namespace, 'MembersUnobserved');
    expect(JSON.stringify(waiting.status.conditions)).toContain('not asked so far: node2');
    expect(await play.secrets(namespace)).toEqual([]);

    await play.hostSays(namespace, 'node2');
    const seen = await play.until(namespace, 'Reconciled');
    expect(await play.secrets(namespace)).toEqual(five);
    expect(seen.status).toMatchObject({
      summary: 'Valid',
      authorityCount: 3,
      certificates: 0,
      nextExpiryIn: '3649d',
    });
    const secrets = await Promise.all(five.map((name) => play.secret(namespace, name)));
    for (const { metadata } of secrets) {
      expect(metadata.ownerReferences).toBeUndefined();
      expect(metadata.labels).toMatchObject({ 'firn.dev/pki': 'demo' });
    }
    const table = await play.kubectl(['get', 'pki', '-n', namespace]);
    expect(table.split('\n')[1]).toMatch(/^demo\s+3\s+0\s+3649d\s+True\s+Valid/);
  });

  test('are never replaced, whoever looks again', async () => {
    const before = await Promise.all(five.map((name) => play.secret(namespace, name)));
    await play.apply([pkiIn(namespace, { keyAlgorithm: 'RSA-2048', rotate: {} })]);
    await play.until(namespace, 'Reconciled');
    const after = await Promise.all(five.map((name) => play.secret(namespace, name)));
    expect(after.map(({ metadata }) => metadata.resourceVersion)).toEqual(
      before.map(({ metadata }) => metadata.resourceVersion),
    );
  });

  test('survive their ClusterPKI, and one that comes back finds them; what Git asks for starts nothing new', async () => {
    const before = fingerprintIn(await play.get(namespace), 'cluster');
    await play.kubectl(['delete', 'clusterpki', 'demo', '-n', namespace]);
    expect(await play.secrets(namespace)).toEqual(five);
    await play.apply([pkiIn(namespace)]);
    expect(fingerprintIn(await play.until(namespace, 'Reconciled'), 'cluster')).toBe(before);
  });

  test('a Secret that is lost is not made anew while hosts live by it, and is taken back', async () => {
    const said = {
      node1: await origins(namespace, ['control-plane']),
      node2: await origins(namespace, ['worker']),
    };
    const kept = await play.kubectl(['get', 'secret', 'demo-cluster-ca', '-n', namespace, '-o', 'json']);
    for (const [name, all] of Object.entries(said)) await play.hostSays(namespace, name, all);
    await play.kubectl(['delete', 'secret', 'demo-cluster-ca', '-n', namespace]);
    const seen = await play.until(namespace, 'AuthorityMissing');
    expect(JSON.stringify(seen.status.conditions)).toContain(
      'Secret demo-cluster-ca is missing, and node1, node2 still live by what was in it',
    );
    expect(await play.secrets(namespace)).not.toContain('demo-cluster-ca');
    const { metadata, ...rest } = JSON.parse(kept) as { metadata: Fields };
    const { name, labels } = metadata;
    await play.apply([{ ...rest, metadata: { name, namespace, labels: labels as Fields } }]);
    expect((await play.until(namespace, 'Reconciled')).status.authorities).toEqual(seen.status.authorities);
  });

  test('what ends on hosts is told, and counts; a host whose certificates were not renewed is named', async () => {
    const pki = { certificates: 13, nextExpiring: '/etc/kubernetes/pki/apiserver.crt' };
    const inDays = (days: number) =>
      `${new Date(Date.now() + days * 86_400_000 + 60_000).toISOString().slice(0, 19)}Z`;
    const all = await origins(namespace, ['control-plane']);
    await play.hostSays(namespace, 'node1', all, { ...pki, nextExpiry: inDays(89) });
    await eventually(async () => {
      const { status } = await play.get(namespace);
      expect(status).toMatchObject({
        certificates: 17,
        nextExpiryIn: '89d',
        nextExpiring: 'node1 /etc/kubernetes/pki/apiserver.crt',
      });
      expect(play.expiries.get(`${namespace}/demo`)).toBe(Date.parse(status.nextExpiry!) / 1000);
    });
    await play.hostSays(namespace, 'node1', all, { ...pki, nextExpiry: inDays(3) });
    const late = await play.until(namespace, 'CertificateOverdue');
    expect(JSON.stringify(late.status.conditions)).toContain('node1 /etc/kubernetes/pki/apiserver.crt in 3d');
    await play.hostSays(namespace, 'node1', all, { ...pki, nextExpiry: '2026-01-01T00:00:00Z' });
    await play.until(namespace, 'CertificateExpired');
    await play.hostSays(namespace, 'node1', all, { ...pki, nextExpiry: inDays(89) });
    await play.until(namespace, 'Reconciled');
  });

  test('go with their ClusterPKI where that is asked for, and no cluster lives by them', async () => {
    await play.apply([pkiIn(namespace, { deletionPolicy: 'Delete' })]);
    await play.kubectl(['delete', 'clusterpki', 'demo', '-n', namespace, '--wait=false']);
    await eventually(async () => {
      const seen = await play.get(namespace);
      expect(JSON.stringify(seen.status.conditions)).toContain('PkiInUse');
    });
    expect(await play.secrets(namespace)).toEqual(five);
    await play.kubectl(['delete', 'nixcluster', 'demo', '-n', namespace]);
    await eventually(async () => expect(await play.secrets(namespace)).toEqual([]));
  });
});

describe('rotation on request', () => {
  const namespace = 'rotating';
  const hostsHaveIt = async () => {
    await play.hostSays(namespace, 'node1', await origins(namespace, ['control-plane']));
    await play.hostSays(namespace, 'node2', await origins(namespace, ['worker']));
  };
  const reaches = (stage: string | undefined, name = 'authority') =>
    eventually(async () => {
      const seen = await play.get(namespace);
      expect(stageOf(seen, name)).toBe(stage);
      expectHonestStatus(seen);
    });

  test('a value that is there from the beginning starts nothing', async () => {
    await play.newNamespace(namespace);
    await play.newCluster(namespace, { node1: ['control-plane'], node2: ['worker'] });
    await play.hostSays(namespace, 'node1');
    await play.hostSays(namespace, 'node2');
    await play.apply([pkiIn(namespace, { rotate: { authority: 'one', encryptionKey: 'one' } })]);
    const seen = await play.until(namespace, 'Reconciled');
    expect(seen.status.rotation).toBeUndefined();
    await hostsHaveIt();
  });

  test('a Secret without a record is taken over as it is', async () => {
    await play.kubectl([
      ...['patch', 'secret', 'demo-etcd-ca', '-n', namespace, '--type=json'],
      ...['-p', '[{"op":"remove","path":"/data/rotation"}]'],
    ]);
    await eventually(async () => {
      expect(await textOf(namespace, 'demo-etcd-ca', 'rotation')).toContain('"request":"one","stage":"Idle"');
    });
    expect((await play.until(namespace, 'Reconciled')).status.rotation).toBeUndefined();
  });

  test('an authority is replaced in stages, each once all hosts have the one before', async () => {
    const before = await play.get(namespace);
    const old = fingerprintIn(before, 'cluster');
    await play.apply([pkiIn(namespace, { rotate: { authority: 'two', encryptionKey: 'one' } })]);
    await reaches('Distribute');
    const seen = await play.until(namespace, 'Rotating');
    expect(seen.status.rotation).toMatchObject([{ request: 'two', waitsFor: 'node1, node2 to have it' }]);
    expect(fingerprintIn(seen, 'cluster')).toBe(old);
    expect(splitPem(await textOf(namespace, 'demo-cluster-ca', 'ca.crt'))).toHaveLength(2);

    // One of two is not enough.
    await play.hostSays(namespace, 'node2', await origins(namespace, ['worker']));
    await eventually(async () =>
      expect((await play.get(namespace)).status.rotation?.[0]?.waitsFor).toBe('node1 to have it'),
    );
    await hostsHaveIt();
    await reaches('Reissue');
    const reissued = fingerprintIn(await play.get(namespace), 'cluster');
    expect(reissued).not.toBe(old);
    // The old one vouches for the new one behind every leaf.
    expect(splitPem(await textOf(namespace, 'demo-cluster-ca', 'tls.crt'))).toHaveLength(2);
    await hostsHaveIt();
    await reaches('Retire');
    expect(splitPem(await textOf(namespace, 'demo-cluster-ca', 'ca.crt'))).toHaveLength(1);
    expect(await textOf(namespace, 'demo-cluster-ca', 'previous.key')).toBe('');
    await hostsHaveIt();
    await reaches(undefined);
    const after = await play.until(namespace, 'Reconciled');
    expect(fingerprintIn(after, 'cluster')).toBe(reissued);
    await eventually(async () => {
      const events = ['get', 'events', '-n', namespace, '-o', 'jsonpath={.items[*].message}'];
      const said = await play.kubectl(events);
      // An object has so many events a minute; stages of a test follow each other faster than those of a cluster.
      expect(said).toContain('authority: Distribute');
    });
  });

  test('it is taken back as long as nothing is retired', async () => {
    const old = fingerprintIn(await play.get(namespace), 'cluster');
    await play.apply([pkiIn(namespace, { rotate: { authority: 'three' } })]);
    await reaches('Distribute');
    await hostsHaveIt();
    await reaches('Reissue');
    await hostsHaveIt();
    await play.apply([pkiIn(namespace, { rotate: { authority: 'four', abort: 'four' } })]);
    // Another value asks for nothing as long as this rotation is under way: it goes on.
    await reaches('Retire');
    await hostsHaveIt();
    await reaches(undefined);
    const gone = fingerprintIn(await play.until(namespace, 'Reconciled'), 'cluster');
    expect(gone).not.toBe(old);

    await play.apply([pkiIn(namespace, { rotate: { authority: 'five', abort: 'four' } })]);
    await reaches('Distribute');
    await hostsHaveIt();
    await reaches('Reissue');
    await play.apply([pkiIn(namespace, { rotate: { authority: 'five', abort: 'five' } })]);
    await reaches('Abort');
    expect(fingerprintIn(await play.get(namespace), 'cluster')).toBe(gone);
    expect(splitPem(await textOf(namespace, 'demo-cluster-ca', 'ca.crt'))).toHaveLength(2);
    await hostsHaveIt();
    await reaches(undefined);
    expect(fingerprintIn(await play.until(namespace, 'Reconciled'), 'cluster')).toBe(gone);
    expect(splitPem(await textOf(namespace, 'demo-cluster-ca', 'ca.crt'))).toHaveLength(1);
  });

  test('keys for tokens and for encryption go their own ways', async () => {
    await hostsHaveIt();
    await play.apply([
      pkiIn(namespace, { rotate: { authority: 'five', serviceAccountKey: 'a', encryptionKey: 'a' } }),
    ]);
    await reaches('Distribute', 'serviceAccountKey');
    await reaches('Add', 'encryptionKey');
    const signing = await textOf(namespace, 'demo-service-account', 'sa.key');
    await hostsHaveIt();
    await reaches('Reissue', 'serviceAccountKey');
    await reaches('Promote', 'encryptionKey');
    expect(await textOf(namespace, 'demo-service-account', 'sa.key')).not.toBe(signing);
    expect((await textOf(namespace, 'demo-service-account', 'sa.pub')).match(/BEGIN/g)).toHaveLength(2);
    await hostsHaveIt();
    // Rewrite is over at once: no Kubernetes runs that could have written anything.
    await reaches('Retire', 'serviceAccountKey');
    await reaches('Remove', 'encryptionKey');
    await hostsHaveIt();
    await reaches(undefined, 'serviceAccountKey');
    await reaches(undefined, 'encryptionKey');
    expect(
      (await textOf(namespace, 'demo-encryption', 'encryption-config.yaml')).match(/name: key-/g),
    ).toHaveLength(1);
    await play.until(namespace, 'Reconciled');
  });
});

describe('an authority that is brought along', () => {
  const namespace = 'importing';
  const day = 86_400_000;
  const issuance = { now: Date.now(), random: randomBytes };
  const root = (lifetimeMs = 400 * day, commonName = 'Example Root') =>
    createAuthority({ commonName, algorithm: 'ECDSA-P256', lifetimeMs }, issuance);
  const put = (crt: string, key?: string) =>
    play.kubectl(['replace', '--force', '-f', '-'], {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'brought', namespace },
      stringData: { 'tls.crt': crt, ...(key !== undefined && { 'tls.key': key }) },
    });

  test('is refused for what is wrong with it, and nothing is made meanwhile', async () => {
    await play.newNamespace(namespace);
    await play.apply([pkiIn(namespace, { import: { cluster: { name: 'brought' } } })]);
    await play.until(namespace, 'SecretNotFound');
    const [one, other] = [await root(), await root()];
    await put(one.certificate);
    await play.until(namespace, 'ImportedAuthorityWithoutKey');
    await put(one.certificate, other.key.open());
    await play.until(namespace, 'ImportedAuthorityKeyMismatch');
    const past = { ...issuance, now: Date.now() - 30 * day };
    const ended = await createAuthority({ commonName: 'x', algorithm: 'ECDSA-P256', lifetimeMs: day }, past);
    await put(ended.certificate, ended.key.open());
    await play.until(namespace, 'ImportedAuthorityExpired');
    expect(await play.secrets(namespace)).not.toContain('demo-cluster-ca');
  });

  test('an intermediate is honoured, and is all that hosts trust', async () => {
    const intermediate = await createIntermediate(
      await root(),
      { commonName: 'Example Kubernetes', algorithm: 'ECDSA-P256', lifetimeMs: 200 * day, pathLength: 0 },
      issuance,
    );
    await put(intermediate.chain, intermediate.key.open());
    const seen = await play.until(namespace, 'Reconciled');
    expect(seen.status.authorities).toContainEqual({
      name: 'cluster',
      secretName: 'demo-cluster-ca',
      fingerprint: inspectCertificate(intermediate.certificate).fingerprint,
      notAfter: expect.any(String),
      imported: true,
    });
    expect(await textOf(namespace, 'demo-cluster-ca', 'ca.crt')).toBe(intermediate.certificate);
  });

  test('another one in its Secret waits to be asked for, and then takes over in stages', async () => {
    const newer = await root(300 * day, 'Newer Root');
    await put(newer.certificate, newer.key.open());
    const unused = await play.until(namespace, 'ImportedAuthorityUnused');
    expect(fingerprintIn(unused, 'cluster')).not.toBe(inspectCertificate(newer.certificate).fingerprint);
    await play.apply([
      pkiIn(namespace, { import: { cluster: { name: 'brought' } }, rotate: { authority: 'go' } }),
    ]);
    const seen = await play.until(namespace, 'Reconciled');
    expect(fingerprintIn(seen, 'cluster')).toBe(inspectCertificate(newer.certificate).fingerprint);
    await play.apply([
      pkiIn(namespace, { import: { cluster: { name: 'brought' } }, rotate: { authority: 'again' } }),
    ]);
    await play.until(namespace, 'ImportedAuthorityUnchanged');
  });
});

/** What a ClusterAccess gives, and until when: two real API servers, one with the object, one that is used by the kubeconfig. */
import { randomBytes } from 'node:crypto';
import { createAuthority } from '../../controllers/lib/pki/authority.ts';
import { crossSign } from '../../controllers/lib/pki/cross-sign.ts';
import { kubeconfigText } from '../../controllers/lib/pki/kubeconfig.ts';
import { issueLeaf } from '../../controllers/lib/pki/leaf.ts';
import { splitPem } from '../../controllers/lib/pki/pem.ts';
import { parseDuration } from '../../crds/index.ts';
import { type AccessPlay, accessIn, configIn, reasonIn, startAccessPlay } from '../support/accesses.ts';
import { inspectCertificate } from '../support/inspect-certificate.ts';
import { clusterIn } from '../support/nixclusters.ts';
import { keepSecret } from '../support/secrets/registry.ts';
import { waitFor } from '../support/wait.ts';

let play: AccessPlay;

beforeAll(async () => {
  play = await startAccessPlay();
}, 120_000);

afterAll(async () => {
  await play?.stop();
});

const text = (base64: string): string => Buffer.from(base64, 'base64').toString('utf8');
const certificateIn = async (namespace: string, name?: string) =>
  inspectCertificate(
    text(configIn(await play.secret(namespace, name)).users[0]!.user['client-certificate-data']),
  );
const trustedIn = async (namespace: string) =>
  splitPem(text(configIn(await play.secret(namespace)).clusters[0]!.cluster['certificate-authority-data']));
const issuance = { now: Date.now(), random: randomBytes };

describe('a kubeconfig from its first day on', () => {
  const namespace = 'living';

  test('opens the cluster to that user and those groups', async () => {
    await play.newCluster(namespace);
    await play.apply([accessIn(namespace)]);
    const seen = await play.until(namespace, (now) => expect(reasonIn(now, 'Issued')).toBe('Succeeded'));
    const { stdout } = await play.asUser(namespace, ['auth', 'whoami', '-o', 'json']);
    expect(JSON.parse(stdout).status.userInfo).toMatchObject({
      username: 'ops',
      groups: ['team:ops', 'system:authenticated'],
    });
    const { metadata, type } = await play.secret(namespace);
    expect({ type, owners: metadata.ownerReferences }).toMatchObject({
      type: 'Opaque',
      owners: [{ kind: 'ClusterAccess', name: 'ops', uid: seen.metadata.uid }],
    });
    const certificate = await certificateIn(namespace);
    expect(seen.status).toMatchObject({
      secretName: 'ops-kubeconfig',
      server: play.target.server,
      serial: certificate.serial,
      fingerprint: certificate.fingerprint,
      notAfter: new Date(certificate.notAfter).toISOString().replace('.000', ''),
      expiresIn: '364d',
    });
    const life = certificate.notAfter - certificate.notBefore;
    expect(Date.parse(seen.status.renewAt!) - certificate.notBefore).toBeCloseTo((life * 2) / 3, -4);
  });

  test('whose user may do nothing says so, and is ready all the same', async () => {
    const seen = await play.until(namespace, (now) => expect(now.status.summary).toBe('NotBound'));
    const bound = seen.status.conditions?.find(({ type }) => type === 'Bound');
    expect(bound).toMatchObject({
      status: 'False',
      reason: 'NotBound',
      message: expect.stringContaining('names user ops, group team:ops'),
    });
    expect(reasonIn(seen, 'Ready')).toBe('Reconciled');
    const table = await play.kubectl(['get', 'clusteraccess', '-n', namespace]);
    expect(table.split('\n')[1]).toMatch(/^ops\s+demo\s+ops\s+team:ops\s+364d\s+True\s+NotBound/);
    expect((await play.asUser(namespace, ['get', 'namespaces'])).code).not.toBe(0);

    const binding = [
      'create',
      'clusterrolebinding',
      'ops',
      '--clusterrole=cluster-admin',
      '--group=team:ops',
    ];
    expect((await play.target.kubectl(binding)).code).toBe(0);
    await play.kubectl(['annotate', 'clusteraccess', 'ops', '-n', namespace, 'look=again']);
    await play.until(namespace, (now) => expect(now.status.summary).toBe('Issued'));
    expect((await play.asUser(namespace, ['get', 'namespaces'])).code).toBe(0);
  });

  test('looking again writes nothing', async () => {
    const { resourceVersion } = (await play.secret(namespace)).metadata;
    await play.kubectl(['annotate', 'clusteraccess', 'ops', '-n', namespace, 'look=twice', '--overwrite']);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect((await play.secret(namespace)).metadata.resourceVersion).toBe(resourceVersion);
  });

  test('another endpoint is written in, and the certificate stays', async () => {
    const { serial } = await certificateIn(namespace);
    const { port } = new URL(play.target.server);
    await play.apply([clusterIn(namespace, {}, { endpoint: { host: 'localhost', port: Number(port) } })]);
    await play.until(namespace, (now) => expect(now.status.server).toBe(`https://localhost:${port}`));
    expect(await certificateIn(namespace)).toMatchObject({ serial });
    expect((await play.asUser(namespace, ['get', 'namespaces'])).code).toBe(0);
  });

  test('other groups are another certificate', async () => {
    await play.apply([accessIn(namespace, { groups: ['team:ops', 'team:data'] })]);
    await play.until(namespace, (now) => expect(now.status.groups).toBe('team:ops,team:data'));
    expect((await certificateIn(namespace)).organizations).toEqual(['team:ops', 'team:data']);
  });

  test('the Secret comes back, and so does what was in it', async () => {
    const { serial } = await certificateIn(namespace);
    await play.kubectl(['delete', 'secret', 'ops-kubeconfig', '-n', namespace]);
    await waitFor(
      'the Secret',
      async () => (await certificateIn(namespace).catch(() => undefined))?.serial !== undefined,
    );
    expect((await certificateIn(namespace)).serial).not.toBe(serial);
    await play.kubectl([
      'patch',
      'secret',
      'ops-kubeconfig',
      '-n',
      namespace,
      '-p',
      '{"data":{"kubeconfig":"bm90aGluZw=="}}',
    ]);
    await waitFor(
      'its content',
      async () => (await play.asUser(namespace, ['get', 'namespaces'])).code === 0,
    );
  });

  test('is renewed when two thirds of its life are over', async () => {
    const lifetimeMs = parseDuration('8760h');
    const spec = {
      commonName: 'ops',
      organizations: ['team:data', 'team:ops'],
      ends: ['client auth'] as const,
    };
    const old = await issueLeaf(
      play.authority,
      { ...spec, algorithm: 'ECDSA-P256', lifetimeMs },
      { ...issuance, now: Date.now() - 0.7 * lifetimeMs },
    );
    keepSecret('the key of an old certificate', old.key.open());
    const kubeconfig = kubeconfigText({
      name: 'ops@demo',
      server: play.target.server,
      authorities: play.authority.certificate,
      user: 'ops@demo',
      credential: old,
    });
    const data = { kubeconfig: Buffer.from(kubeconfig.open()).toString('base64') };
    await play.client.mergePatch(
      {
        group: '',
        version: 'v1',
        kind: 'Secret',
        plural: 'secrets',
        namespaced: true,
        parse: (raw) => raw as never,
      },
      { namespace, name: 'ops-kubeconfig' },
      { data },
      { signal: AbortSignal.timeout(10_000) },
    );
    const { serial } = inspectCertificate(old.certificate);
    await play.until(namespace, (now) => {
      expect(now.status.serial).not.toBe(serial);
      expect(now.status.expiresIn).toBe('364d');
    });
    await waitFor('the new one', async () => (await certificateIn(namespace)).serial !== serial);
    expect(await play.kubectl(['get', 'events', '-n', namespace])).toContain(
      'two thirds of its life are over',
    );
  });

  test('goes with its ClusterAccess', async () => {
    await play.kubectl(['delete', 'clusteraccess', 'ops', '-n', namespace]);
    const secrets = await play.kubectl(['get', 'secrets', '-n', namespace, '-o', 'name']);
    expect(secrets).toBe('secret/demo-cluster-ca\n');
  });
});

test('while authorities are replaced, both are trusted, and the certificate follows who signs', async () => {
  const namespace = 'rotating';
  await play.newCluster(namespace);
  await play.apply([accessIn(namespace)]);
  await play.until(namespace, (now) => expect(reasonIn(now, 'Issued')).toBe('Succeeded'));
  const first = await certificateIn(namespace);
  const { authority: former } = play;
  const made = await createAuthority(
    { commonName: 'next', algorithm: 'ECDSA-P256', lifetimeMs: parseDuration('87600h') },
    issuance,
  );
  const next = { ...made, chain: (await crossSign(made, former, issuance))! };

  await play.setAuthority(namespace, former, [former, next]);
  await waitFor('Distribute', async () => (await trustedIn(namespace)).length === 2);
  expect(await certificateIn(namespace)).toEqual(first);
  expect((await play.asUser(namespace, ['auth', 'whoami'])).code).toBe(0);

  await play.setAuthority(namespace, next, [former, next]);
  await waitFor('Reissue', async () => (await certificateIn(namespace)).issuerCommonName === 'next');
  // What vouches for the new one is sent along, so that a server knows it that trusts the former one alone.
  expect((await play.asUser(namespace, ['auth', 'whoami'])).code).toBe(0);

  await play.setAuthority(namespace, made, [made]);
  await waitFor('Retire', async () => (await trustedIn(namespace)).length === 1);
  expect(await trustedIn(namespace)).toEqual([made.certificate]);
  const sent = text(configIn(await play.secret(namespace)).users[0]!.user['client-certificate-data']);
  expect(splitPem(sent)).toHaveLength(1);
});

describe('Secrets', () => {
  const namespace = 'secrets';
  beforeAll(() => play.newCluster(namespace));

  test('that are somebody else’s are left alone', async () => {
    const taken = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'taken', namespace },
      stringData: { note: 'mine alone' },
    };
    await play.kubectl(['create', '-f', '-'], taken);
    await play.apply([accessIn(namespace, { secretName: 'taken' })]);
    const seen = await play.until(namespace, (now) => expect(reasonIn(now, 'Ready')).toBe('SecretTaken'));
    expect(seen.status.conditions?.[0]?.message).toContain('Secret taken is there already');
    await play.kubectl(['delete', 'clusteraccess', 'ops', '-n', namespace]);
    expect(Object.keys((await play.secret(namespace, 'taken')).data)).toEqual(['note']);
  });

  test('follow the name that is asked for', async () => {
    await play.apply([accessIn(namespace, { secretName: 'one' })]);
    await play.until(namespace, (now) => expect(now.status.secretName).toBe('one'));
    await play.apply([accessIn(namespace, { secretName: 'two' })]);
    await play.until(namespace, (now) => expect(now.status.secretName).toBe('two'));
    await waitFor(
      'the end of the former',
      async () =>
        !(await play.kubectl(['get', 'secrets', '-n', namespace, '-o', 'name'])).includes('secret/one'),
    );
  });

  test('a lifetime beyond that of the authority is cut, and that is said', async () => {
    await play.apply([accessIn(namespace, { lifetime: '99999h', secretName: 'long' }, 'long')]);
    const seen = await play.until(
      namespace,
      (now) => expect(reasonIn(now, 'Issued')).toBe('Succeeded'),
      'long',
    );
    expect(seen.status.limitedBy).toContain('ends with the authority that signed it');
    expect(seen.status.renewAt).toBe(seen.status.notAfter);
  });

  test('are not made before there is an authority', async () => {
    await play.newNamespace('early');
    await play.apply([clusterIn('early'), accessIn('early')]);
    await play.until('early', (now) => expect(reasonIn(now, 'Ready')).toBe('WaitingForPKI'));
  });
});

test('the example is accepted as it is', async () => {
  const path = new URL('../../docs/examples/06-operations.yaml', import.meta.url).pathname;
  await play.newNamespace('demo');
  await play.kubectl(['apply', '--server-side', '--dry-run=server', '--validate=strict', '-f', path]);
});

describe('whom nobody can be', () => {
  test.each([
    ['groups', ['system:masters'], /must not begin with system: .*system:masters cannot be taken back/],
    ['groups', ['system:nodes'], /must not begin with system:/],
    ['user', 'system:kube-scheduler', /must not begin with system: or firn:/],
    ['user', 'firn:operator', /must not begin with system: or firn:/],
    ['user', 'kube-apiserver-kubelet-client', /must not be the name of a client that every cluster has/],
    ['user', 'a\nb', /must be the name of a user/],
    ['lifetime', '5m', /must be between 10m and 99999h/],
  ])('%s %j is refused in words', async (field, value, message) => {
    const object = accessIn('default', { [field]: value });
    expect(await play.refusal(['create', '--dry-run=server', '-f', '-'], object)).toMatch(message);
  });
});

/** What zod accepts the API server accepts, and the other way round; and both make the same of it. */
import * as fc from 'fast-check';
import {
  ClusterAccess,
  ClusterAddon,
  ClusterFrontend,
  ClusterPKI,
  NixCluster,
  NixModule,
  NixNode,
  WireguardMesh,
} from '../../crds/index.ts';
import type { FirnKind } from '../../crds/kind.ts';
import type { KubeObject } from '../../crds/resource.ts';

import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { installCrds, type RawApi, rawApi } from '../support/firn-api.ts';
import { fullAccess, fullAccessStatus, fullAddon, fullAddonStatus } from '../support/full-access.ts';
import { fullCluster, fullClusterStatus } from '../support/full-cluster.ts';
import { fullFrontend, fullFrontendStatus } from '../support/full-frontend.ts';
import { fullMesh, fullMeshStatus } from '../support/full-mesh.ts';
import { fullModule, fullNode, fullStatus } from '../support/full-objects.ts';
import { fullPki, fullPkiStatus } from '../support/full-pki.ts';
import type { Json } from '../support/hostile-values.ts';
import { type Mutation, mutate, mutation } from '../support/mutations.ts';

type Fields = { [key: string]: Json };
type Verdict = { accepted: true; made: unknown } | { accepted: false; said: string };

let cluster: TestCluster;
let api: RawApi;

beforeAll(async () => {
  cluster = await startTestCluster();
  await installCrds(cluster);
  api = rawApi(cluster);
  await api.send('POST', '/api/v1/namespaces', { metadata: { name: 'fleet' } });
}, 120_000);

afterAll(async () => {
  await api?.[Symbol.asyncDispose]();
  await cluster?.stop();
});

const base = '/apis/firn.dev/v1alpha1/namespaces/fleet';
const seed = Number(process.env.FIRN_SEED ?? Date.now() % 2 ** 31);
/** For a long search: how many times the usual number of cases. */
const effort = Number(process.env.FIRN_EFFORT ?? 1);

const byZod = (kind: FirnKind<KubeObject>, object: Fields, field: 'spec' | 'status'): Verdict => {
  const metadata = { ...(object.metadata as Fields), uid: 'made-by-the-server', resourceVersion: '1' };
  try {
    const parsed = kind.parse({ ...object, metadata }) as unknown as Record<string, unknown>;
    // As JSON: a field that is absent and one that is undefined are the same there.
    return { accepted: true, made: JSON.parse(JSON.stringify(parsed[field] ?? null)) };
  } catch (error) {
    return { accepted: false, said: (error as Error).message };
  }
};

const byServer = async (
  method: 'POST' | 'PUT',
  path: string,
  object: Fields,
  field: string,
): Promise<Verdict> => {
  // fieldValidation=Ignore: an unknown field is dropped, as zod drops it; kubectl asks for Strict and is told.
  const { status, body } = await api.send(method, `${path}?dryRun=All&fieldValidation=Ignore`, object);
  if (status === 200 || status === 201) return { accepted: true, made: withoutNulls(body[field] ?? null) };
  if (status !== 400 && status !== 422) throw new Error(`${status}: ${body.message}`);
  return { accepted: false, said: body.message ?? '' };
};

/** Where a schema is not ours the server keeps what is null; to us it is absent there, too. */
const withoutNulls = (made: unknown): unknown =>
  JSON.parse(JSON.stringify(made), (_, value) =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== null))
      : value,
  );

const keysIn = (value: Json): string[] =>
  value !== null && typeof value === 'object'
    ? Object.entries(value).flatMap(([key, inner]) => [
        ...(Array.isArray(value) ? [] : [key]),
        ...keysIn(inner),
      ])
    : [];

async function agree(cases: number, from: Fields, judge: (changed: Fields) => Promise<[Verdict, Verdict]>) {
  const count = cases * effort;
  const changes = fc.array(mutation([...new Set(keysIn(from))]), { maxLength: 3 });
  let accepted = 0;
  await fc.assert(
    fc.asyncProperty(changes, async (mutations: Mutation[]) => {
      const [zod, server] = await judge(mutate(from, mutations));
      expect({ zod }).toEqual({
        zod: server.accepted ? server : { accepted: false, said: expect.any(String) },
      });
      if (server.accepted) accepted++;
    }),
    { numRuns: count, seed, interruptAfterTimeLimit: 50_000 * effort },
  );
  console.log(`seed ${seed}: ${accepted} of ${count} accepted`);
  // A test in which everything is refused, or nothing is, would prove little.
  expect(accepted).toBeGreaterThan(count / 20);
  expect(accepted).toBeLessThan(count);
}

/** What it is a server takes from the path: no schema judges that. */
function changedObject(whole: Fields, changed: Fields, metadata: Fields): Fields {
  const { apiVersion, kind } = whole;
  return { ...whole, ...changed, apiVersion: apiVersion!, kind: kind!, metadata };
}

const judgeSpec =
  (kind: FirnKind<KubeObject>, whole: (name: string) => Fields) => async (changed: Fields) => {
    const object = changedObject(whole('fresh'), changed, { namespace: 'fleet', name: changed.name ?? null });
    const path = `${base}/${kind.plural}`;
    return [byZod(kind, object, 'spec'), await byServer('POST', path, object, 'spec')] as [Verdict, Verdict];
  };

test('of the spec of a NixNode', async () => {
  await agree(600, { name: 'alpha', spec: fullNode('x').spec! }, judgeSpec(NixNode, fullNode));
});

test('of the spec of a NixModule', async () => {
  await agree(200, { name: 'base', spec: fullModule('x').spec! }, judgeSpec(NixModule, fullModule));
});

test('of the spec of a NixCluster', async () => {
  await agree(600, { name: 'demo', spec: fullCluster('x').spec! }, judgeSpec(NixCluster, fullCluster));
});

test('of the spec of a WireguardMesh', async () => {
  await agree(400, { name: 'demo', spec: fullMesh('x').spec! }, judgeSpec(WireguardMesh, fullMesh));
});

const judgeStatus = async (kind: FirnKind<KubeObject>, whole: (name: string) => Fields) => {
  const path = `${base}/${kind.plural}`;
  const made = await api.send('POST', path, whole('standing'));
  expect(made.status).toBe(201);
  const { resourceVersion } = (made.body as KubeObject).metadata;
  const metadata = { namespace: 'fleet', name: 'standing', resourceVersion };
  return async (changed: Fields): Promise<[Verdict, Verdict]> => {
    const object = changedObject(whole('standing'), changed, metadata);
    return [
      byZod(kind, object, 'status'),
      await byServer('PUT', `${path}/standing/status`, object, 'status'),
    ];
  };
};

test('of the status of a NixNode', async () => {
  await agree(300, { status: fullStatus }, await judgeStatus(NixNode, fullNode));
});

test('of the status of a NixCluster', async () => {
  await agree(300, { status: fullClusterStatus }, await judgeStatus(NixCluster, fullCluster));
});

test('of the status of a WireguardMesh', async () => {
  await agree(300, { status: fullMeshStatus }, await judgeStatus(WireguardMesh, fullMesh));
});

test('of the spec of a ClusterPKI', async () => {
  await agree(400, { name: 'demo', spec: fullPki('x').spec! }, judgeSpec(ClusterPKI, fullPki));
});

test('of the status of a ClusterPKI', async () => {
  await agree(300, { status: fullPkiStatus }, await judgeStatus(ClusterPKI, fullPki));
});

test('of the spec of a ClusterAccess', async () => {
  await agree(400, { name: 'ops', spec: fullAccess('x').spec! }, judgeSpec(ClusterAccess, fullAccess));
});

test('of the status of a ClusterAccess', async () => {
  await agree(200, { status: fullAccessStatus }, await judgeStatus(ClusterAccess, fullAccess));
});

test('of the spec of a ClusterAddon', async () => {
  await agree(400, { name: 'web', spec: fullAddon('x').spec! }, judgeSpec(ClusterAddon, fullAddon));
});

test('of the status of a ClusterAddon', async () => {
  await agree(200, { status: fullAddonStatus }, await judgeStatus(ClusterAddon, fullAddon));
});

test('of the spec of a ClusterFrontend', async () => {
  await agree(400, { name: 'web', spec: fullFrontend('x').spec! }, judgeSpec(ClusterFrontend, fullFrontend));
});

test('of the status of a ClusterFrontend', async () => {
  await agree(300, { status: fullFrontendStatus }, await judgeStatus(ClusterFrontend, fullFrontend));
});

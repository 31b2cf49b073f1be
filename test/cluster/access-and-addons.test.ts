/** A cluster on a booted host, used from outside: kubectl with the kubeconfig of a ClusterAccess, and a ClusterAddon that works. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClusterAddonStatus } from '../../crds/index.ts';
import { type CliResult, runFirnCli } from '../support/cli.ts';
import { apply, namespace } from '../support/fleet.ts';
import {
  applyExample,
  exampleOf,
  fitted,
  type KubernetesCluster,
  nodesOf,
  startKubernetesHosts,
} from '../support/kubernetes-cluster.ts';
import { isWell, waitForObject } from '../support/objects.ts';
import { podSpec, serve } from '../support/pods.ts';
import { waitFor } from '../support/wait.ts';

type Fields = { [field: string]: unknown };

const example = exampleOf('02-single-node.yaml');
const [name = ''] = nodesOf(example);
let cluster: KubernetesCluster;
let folder: string;
let begun: number;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'firn-outside-'));
  cluster = await startKubernetesHosts([name]);
}, 300_000);
afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
}, 120_000);

const seconds = (): string => ((performance.now() - begun) / 1000).toFixed(1);
const firn = (...words: string[]): Promise<CliResult> =>
  runFirnCli([...words, '--kubeconfig', cluster.booted.cluster.kubeconfig, '-n', namespace]);
const outside = (...args: string[]) =>
  cluster.booted.cluster.kubectl([`--kubeconfig=${join(folder, 'lab')}`, ...args]);

const manifests = {
  'crd.yaml': {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'widgets.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { kind: 'Widget', plural: 'widgets', singular: 'widget' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        },
      ],
    },
  },
  'web.yaml': {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'shop' },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, spec: podSpec('web', serve) },
    },
  },
  'widget.yaml': {
    apiVersion: 'example.com/v1',
    kind: 'Widget',
    metadata: { name: 'one', namespace: 'shop' },
  },
};

const addon = (spec: Fields = {}): object => ({
  apiVersion: 'firn.dev/v1alpha1',
  kind: 'ClusterAddon',
  metadata: { name: 'shop', namespace },
  spec: {
    clusterRef: { name: 'lab' },
    manifests: [
      { configMapRef: { name: 'shop' } },
      { inline: 'apiVersion: v1\nkind: Namespace\nmetadata: { name: shop }\n' },
    ],
    prune: true,
    deletionPolicy: 'Delete',
    ...spec,
  },
});
const configMap = (files: Fields): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'shop', namespace },
  data: Object.fromEntries(Object.entries(files).map(([file, object]) => [file, JSON.stringify(object)])),
});

test('an access is asked for with the cluster, and opens it from outside as soon as that is up', async () => {
  const host = cluster.host(name).address;
  const objects = (fitted(example, cluster) as { kind: string; spec: Fields }[]).map((object) =>
    object.kind === 'NixCluster'
      ? { ...object, spec: { ...object.spec, endpoint: { host, port: 6443 } } }
      : object,
  );
  begun = performance.now();
  await applyExample(cluster, objects);
  await apply(cluster.booted.cluster, configMap(manifests), addon());
  const asked = [
    '--cluster',
    'lab',
    '--user',
    'ops',
    '--group',
    'firn:cluster-admins',
    '--output',
    join(folder, 'lab'),
  ];
  await waitFor('a kubeconfig', async () => (await firn('kubeconfig', ...asked)).code === 0, {
    withinMs: 90_000,
  });
  console.info(`the kubeconfig is there ${seconds()} s after kubectl apply`);
  const allowed = async () => (await outside('get', 'namespaces')).code === 0;
  await waitFor('a cluster that lets ops in', allowed, { withinMs: 240_000, everyMs: 500 });
  console.info(`kubectl outside may do everything after ${seconds()} s`);
  const { stdout } = await outside('auth', 'whoami', '-o', 'jsonpath={.status.userInfo.username}');
  expect(stdout).toBe('ops');
}, 400_000);

test('an addon that was there before the cluster is applied, and told of until it works', async () => {
  const seen = await waitForObject<ClusterAddonStatus>(
    cluster.booted.cluster,
    'clusteraddons',
    'shop',
    'Ready',
    isWell,
    180_000,
  );
  console.info(`the addon works after ${seconds()} s`);
  expect(seen.status).toMatchObject({ objects: '4/4', health: { current: 4 } });
  const { stdout } = await outside(
    'get',
    'deployment',
    'web',
    '-n',
    'shop',
    '-o',
    'jsonpath={.status.readyReplicas}',
  );
  expect(stdout).toBe('2');
}, 200_000);

test('what somebody does to it is put back, and what leaves it goes', async () => {
  await outside('delete', 'deployment', 'web', '-n', 'shop');
  await waitFor(
    'the Deployment',
    async () => (await outside('get', 'deployment', 'web', '-n', 'shop')).code === 0,
    {
      withinMs: 30_000,
    },
  );
  const { 'widget.yaml': _, 'crd.yaml': __, ...rest } = manifests;
  await apply(cluster.booted.cluster, configMap(rest));
  await waitFor(
    'the end of the CRD',
    async () => (await outside('get', 'crd', 'widgets.example.com')).code !== 0,
    {
      withinMs: 60_000,
    },
  );
}, 120_000);

test('it goes with its Namespace and pods where that is asked for', async () => {
  const { kubectl } = cluster.booted.cluster;
  expect((await kubectl(['delete', 'clusteraddon', 'shop', '-n', namespace, '--timeout=90s'])).code).toBe(0);
  expect((await outside('get', 'namespace', 'shop')).code).not.toBe(0);
}, 120_000);

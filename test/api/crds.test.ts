/** What a user meets when they apply objects: what is accepted, what is refused and in which words, what kubectl shows. */

import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { installCrds, type RawApi, rawApi } from '../support/firn-api.ts';
import { fullModule, fullNode, fullStatus } from '../support/full-objects.ts';
import type { Json } from '../support/hostile-values.ts';

type Fields = { [key: string]: Json };

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
const example = new URL('../../docs/examples/01-plain-host.yaml', import.meta.url).pathname;

async function kubectl(...args: string[]): Promise<string> {
  const { stdout, stderr, code } = await cluster.kubectl(args);
  expect({ args, code, stderr: code === 0 ? '' : stderr }).toEqual({ args, code: 0, stderr: '' });
  return stdout;
}

/** The spec with the value at a path such as `ssh.port` set, or removed where the value is undefined. */
function specWith(spec: Fields, path: string, value: Json | undefined): Fields {
  const changed = structuredClone(spec);
  const steps = path.split('.');
  const last = steps.pop()!;
  let parent = changed as Record<string, Json>;
  for (const step of steps) parent = parent[step] as Record<string, Json>;
  if (value === undefined) delete parent[last];
  else parent[last] = value;
  return changed;
}

test('the example is accepted as it is, and applying it again changes nothing', async () => {
  await kubectl('apply', '--server-side', '-f', example);
  const before = await kubectl('get', 'firn', '-n', 'fleet', '-o', 'name');
  expect(before.trim().split('\n').sort()).toEqual(['nixmodule.firn.dev/base', 'nixnode.firn.dev/alpha']);
  const version = () =>
    kubectl('get', 'nn', 'alpha', '-n', 'fleet', '-o', 'jsonpath={.metadata.resourceVersion}');
  const was = await version();
  await kubectl('apply', '--server-side', '-f', example);
  expect(await version()).toBe(was);
});

test('kubectl shows the columns that belong to a NixNode', async () => {
  expect((await api.send('POST', `${base}/nixnodes`, fullNode('shown'))).status).toBe(201);
  const bare = await kubectl('get', 'nixnodes', 'shown', '-n', 'fleet');
  expect(bare.split('\n')[0]!.trim().split(/ {2,}/)).toEqual([
    'NAME',
    'ROLES',
    'INDEX',
    'READY',
    'STATUS',
    'RELEASE',
    'NIXOS',
    'VERSION',
    'AGE',
  ]);
  const { body } = await api.send('GET', `${base}/nixnodes/shown`);
  const written = await api.send('PUT', `${base}/nixnodes/shown/status`, { ...body, status: fullStatus });
  expect(written.status).toBe(200);
  const row = (await kubectl('get', 'nixnodes', 'shown', '-n', 'fleet')).split('\n')[1]!;
  expect(row).toMatch(/^shown +control-plane,worker +7 +True +Healthy +8c1f0d3a9b2e +26\.05 +\d+s *$/);
});

test('a NixModule has no status', async () => {
  expect((await api.send('POST', `${base}/nixmodules`, fullModule('no-status'))).status).toBe(201);
  expect((await api.send('GET', `${base}/nixmodules/no-status/status`)).status).toBe(404);
});

const nodeRefusals: [path: string, value: Json | undefined, message: RegExp][] = [
  ['ssh.host', 'exa mple', /spec\.ssh\.host: .*must be a host name, an IPv4 or an IPv6 address/],
  ['ssh.host', '256.0.0.1', /must be a host name, an IPv4 or an IPv6 address/],
  ['ssh.port', 0, /spec\.ssh\.port: .*greater than or equal to 1/],
  ['ssh.port', 65_536, /spec\.ssh\.port: .*less than or equal to 65535/],
  ['ssh.user', '-oProxyCommand=x', /must be the name of a user/],
  ['ssh.keyRef', undefined, /spec\.ssh\.keyRef: Required value/],
  ['ssh.keyRef.name', 'Deploy', /must be the name of an object/],
  ['ssh.hostKeys', [], /hostKeyPolicy Strict needs hostKeys/],
  ['ssh.hostKeys', undefined, /hostKeyPolicy Strict needs hostKeys/],
  ['ssh.hostKeys.0', 'alpha ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI', /without a host name before it/],
  ['ssh.hostKeyPolicy', 'TrustOnFirstUse', /TrustOnFirstUse takes none/],
  ['ssh.hostKeyPolicy', 'None', /supported values: "Strict", "TrustOnFirstUse"/],
  ['ssh.jump.hostKeys', [], /spec\.ssh\.jump\.hostKeys: .*should have at least 1 items/],
  ['addresses.0', '192.0.2.300', /must be an IPv4 or IPv6 address/],
  ['addresses.0', '2001:db8::11', /Duplicate value/],
  ['system', 'x86_64-darwin', /must be a system as Nix names it/],
  ['stateVersion', undefined, /spec\.stateVersion: Required value/],
  ['stateVersion', '26.06', /must be a release of NixOS, quoted, such as "26\.05"/],
  ['stateVersion', 26.05, /must be of type string/],
  ['nixpkgs.url', 'github:a/b c', /must be a flake reference/],
  ['nixpkgs.url', 'http://example.com/x.tar.gz', /must be a flake reference/],
  ['nixpkgs.rev', 'nixos-26.05', /must be a commit: 40 hex digits/],
  ['nixpkgs.narHash', undefined, /rev and narHash are given together or not at all/],
  ['modules.0.configMapRef', { name: 'a', key: 'b' }, /exactly one of inline, configMapRef is required/],
  ['modules.1', {}, /exactly one of inline, configMapRef is required/],
  ['files.0.path', 'run/keys/x', /must be an absolute path/],
  ['files.0.path', '/run/../etc/shadow', /must not contain "\." or "\.\." as a part/],
  ['files.0.path', '/nix/store/x', /must not be in \/nix/],
  ['files.0.path', '/etc/motd', /Duplicate value/],
  ['files.0.configMapRef', { name: 'a', key: 'b' }, /exactly one of secretRef, configMapRef is required/],
  ['files.0.mode', '0999', /must be four octal digits/],
  ['files.0.mode', 400, /must be of type string/],
  ['files.0.restartUnits.0', 'app', /must be the name of a unit with its suffix, such as app\.service/],
  ['deploy.mode', 'Plan', /supported values: "Apply", "Paused"/],
  ['deploy.approve', 'x', /may not be more than 0/],
  ['deploy.confirmWithin', '5s', /must be between 10s and 1h/],
  ['deploy.confirmWithin', '90', /must be a duration such as 90s, 15m, 1h30m or 720h/],
  ['deploy.buildOn', 'beta', /supported values: "Target"/],
  ['deploy.allow.0', 'Anything', /supported values: "WouldNotBoot"/],
  ['deletionPolicy', 'Delete', /supported values: "Orphan", "Reset"/],
  ['deletionTimeout', '721h', /must be between 10s and 720h/],
  ['index', 0, /greater than or equal to 1/],
  ['clusterRef', undefined, /clusterRef and roles are given together/],
  ['clusterRef.name', 'Prod', /must be the name of an object/],
  ['roles', [], /clusterRef and roles are given together/],
  ['roles.0', 'master', /supported values: "control-plane", "worker", "frontend"/],
  ['mesh.endpoint', '2001:db8::1:51820', /must be host:port/],
  ['mesh.endpoint', '192.0.2.1', /must be host:port/],
  ['kubernetes.labels', { '/x': 'y' }, /must have keys of labels/],
  ['kubernetes.taints.0.effect', 'Never', /supported values: "NoSchedule"/],
];

test.each(nodeRefusals)('a NixNode with %s = %j is refused', async (path, value, message) => {
  const node = fullNode('refused');
  const object = { ...node, spec: specWith(node.spec, path, value) };
  const { status, body } = await api.send(
    'POST',
    `${base}/nixnodes?dryRun=All&fieldValidation=Strict`,
    object,
  );
  expect(body.message).toMatch(message);
  expect([400, 422]).toContain(status);
});

test('a NixNode with neither a cluster nor nixpkgs is refused', async () => {
  const { clusterRef, nixpkgs, roles, ...spec } = fullNode('refused').spec;
  const { body } = await api.send('POST', `${base}/nixnodes?dryRun=All`, { ...fullNode('refused'), spec });
  expect(body.message).toMatch(
    /nixpkgs is required where there is no clusterRef, such as \{url: "github:NixOS/,
  );
});

test.each(['svc', 'pod', 'a.b', 'a'.repeat(53)])('a NixNode called %s is refused', async (name) => {
  const { body } = await api.send('POST', `${base}/nixnodes?dryRun=All`, fullNode(name));
  expect(body.message).toMatch(
    /the name must be a DNS label of at most 52 characters, and neither svc nor pod/,
  );
});

const moduleRefusals: typeof nodeRefusals = [
  ['inline', undefined, /exactly one of inline, configMapRef is required/],
  ['priority', -1, /greater than or equal to 0/],
  ['nodeSelector.matchLabels', { '/x': 'y' }, /must have keys of labels/],
  ['nodeSelector.matchExpressions.0.values', [], /In and NotIn need values/],
  ['nodeSelector.matchExpressions.0.operator', 'Equals', /supported values: "In"/],
];

test.each(moduleRefusals)('a NixModule with %s = %j is refused', async (path, value, message) => {
  const module = fullModule('refused');
  const object = { ...module, spec: specWith(module.spec, path, value) };
  const { body } = await api.send('POST', `${base}/nixmodules?dryRun=All&fieldValidation=Strict`, object);
  expect(body.message).toMatch(message);
});

const changes: [path: string, from: Json | undefined, to: Json | undefined, message: RegExp | null][] = [
  ['index', 7, 8, /index is immutable once set/],
  ['index', 7, undefined, /index is immutable once set/],
  ['index', undefined, 7, null],
  ['clusterRef', { name: 'prod' }, { name: 'lab' }, /clusterRef is immutable/],
  ['stateVersion', '26.05', '26.11', /stateVersion is immutable/],
  ['deploy.mode', 'Apply', 'Paused', null],
];

test.each(changes)('%s may or may not change from %j to %j', async (path, from, to, message) => {
  const name = `change-${changes.findIndex((change) => change[0] === path && change[2] === to)}`;
  const node = fullNode(name);
  const made = await api.send('POST', `${base}/nixnodes`, { ...node, spec: specWith(node.spec, path, from) });
  expect(made.status).toBe(201);
  const { status, body } = await api.send('PUT', `${base}/nixnodes/${name}`, {
    ...made.body,
    spec: specWith(made.body.spec as Fields, path, to),
  });
  if (message === null) expect(status).toBe(200);
  else expect(body.message).toMatch(message);
});

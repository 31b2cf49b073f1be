/** Reads what a NixNode is made of and renders the release that its host should run. */
import { type NixCluster, NixModule, type NixNode } from '../../crds/index.ts';
import { ReconcileError } from '../lib/core/outcome.ts';
import { ConfigMapKind, SecretKind } from '../lib/kube/core-kinds.ts';
import { type Content, type Desired, desiredRelease } from './desired.ts';
import { readRecord } from './manifest.ts';
import { memberParts } from './member.ts';
import { membershipOf } from './membership.ts';
import { type Pin, pinOf, pinOfHost } from './pin.ts';
import { configMapNames, fileSecretNames, modulesOf } from './sources.ts';
import { act, type Context, report, reportMesh, type Visit } from './visit.ts';

/** Throws `waiting` while nixpkgs is being resolved, and where an object or a key is not there yet. */
export async function render(visit: Visit): Promise<Desired> {
  const { node, context, services, login } = visit;
  const membership = await membershipOf(node, context.read);
  visit.membership = membership;
  report(visit, visit.seen);
  reportMesh(visit);
  const nixpkgs = await resolveNixpkgs(visit, membership?.cluster);
  if (membership) await resolveKubernetes(visit, membership.cluster);
  const issuance = { now: context.clock.now(), random: services.randomBytes };
  const modules = modulesOf(node, context.read.list(NixModule, node.metadata.namespace ?? ''));
  const desired = desiredRelease({
    node,
    modules,
    nixpkgs,
    member: membership && memberParts(node, membership, visit.seen, issuance),
    content: await loadContent([node, ...modules], context, node.metadata.namespace ?? ''),
    system: node.spec.system ?? visit.seen.facts.system,
    authorizedKeys: login.authorizedKeys,
    firnModules: services.firnModules,
    hmacKey: services.installation.hmacKey,
  });
  visit.desiredId = desired.id;
  visit.wanted = desired;
  report(visit, visit.seen);
  return desired;
}

/** A member is built from its cluster's nixpkgs, which one of them resolves for all; its own, if it has one, goes first. */
async function resolveNixpkgs(
  visit: Visit,
  cluster: NixCluster | undefined,
): Promise<{ url: string; refresh?: string; locked: unknown }> {
  const { node, context, seen } = visit;
  const ofCluster = node.spec.nixpkgs ? undefined : cluster;
  const wanted = node.spec.nixpkgs ?? cluster!.spec.nixpkgs;
  const resolver = ofCluster?.status?.resolver;
  const asksItself = !ofCluster || resolver === node.metadata.name;
  const own = [node.status?.nixpkgs, pinOfHost(readRecord(seen.manifestB64))];
  const kept = [ofCluster?.status?.nixpkgs, ...(asksItself ? own : [])];
  const pin = pinOf(wanted, kept, asksItself ? seen : { ...seen, resolve: null });
  if (pin.state === 'known') {
    context.report({ nixpkgs: pin.record });
    const { url, refresh } = wanted;
    return { url, ...(refresh !== undefined && { refresh }), locked: pin.locked };
  }
  if (!asksItself) {
    const message = `${resolver ?? 'the first member that answers'} resolves ${wanted.url} for all nodes of ${ofCluster.metadata.name}`;
    throw new ReconcileError('progressing', 'WaitingForPin', message, { recheckMs: 60_000 });
  }
  return askHost(visit, pin, wanted.url);
}

/** Where Kubernetes comes from elsewhere, one of the members finds that out for all of them. */
async function resolveKubernetes(visit: Visit, { spec, status }: NixCluster): Promise<void> {
  const { node, context, seen } = visit;
  const { nixpkgs: wanted, version } = spec.kubernetes;
  if (!wanted || status?.resolver !== node.metadata.name) return;
  const found = status.kubernetes?.sources?.find((source) => source.version === version);
  const pin = pinOf(wanted, [found, node.status?.kubernetesNixpkgs], seen);
  if (pin.state !== 'known') return askHost(visit, pin, wanted.url);
  context.report({ kubernetesNixpkgs: pin.record });
}

/** Throws `progressing` until the host has the answer. */
async function askHost(visit: Visit, pin: Exclude<Pin, { state: 'known' }>, url: string): Promise<never> {
  if (pin.state === 'unknown') {
    if (visit.node.spec.deploy.mode === 'Paused') {
      const message = `${url} is not resolved yet, and spec.deploy.mode is Paused`;
      throw new ReconcileError('waiting', 'Paused', message);
    }
    await act(visit, 'resolve', pin.asking);
  }
  throw new ReconcileError('progressing', 'ResolvingNixpkgs', `the host resolves ${url}`, { recheckMs: 500 });
}

/** Everything that is referenced, read once; only then is anything rendered, which is pure. */
async function loadContent(
  objects: readonly (NixNode | NixModule)[],
  { read }: Context,
  namespace: string,
): Promise<Content> {
  const configMaps = await loadAll(
    objects.flatMap((object) => [...configMapNames(object)]),
    (name) => read.load(ConfigMapKind, namespace, name),
  );
  const secrets = await loadAll(
    objects.flatMap((object) => [...fileSecretNames(object)]),
    (name) => read.load(SecretKind, namespace, name),
  );
  return {
    configMap: (name, key) => (configMaps.get(name)?.content[key] ?? missing('ConfigMap', name, key))(),
    secret: (name, key) => secrets.get(name)?.data[key] ?? missing('Secret', name, key),
  };
}

async function loadAll<O>(names: string[], load: (name: string) => Promise<O>): Promise<Map<string, O>> {
  const unique = [...new Set(names)].sort();
  return new Map(await Promise.all(unique.map(async (name) => [name, await load(name)] as const)));
}

function missing(kind: string, name: string, key: string): never {
  const message = `${kind} ${name} has no key ${key}; add it, or correct the reference`;
  throw new ReconcileError('waiting', `${kind}KeyNotFound`, message);
}

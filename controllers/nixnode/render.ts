/** Reads what a NixNode is made of and renders the release that its host should run. */
import { NixModule, type NixNode } from '../../crds/index.ts';
import { ReconcileError } from '../lib/core/outcome.ts';
import { ConfigMapKind, SecretKind } from '../lib/kube/core-kinds.ts';
import { type Content, type Desired, desiredRelease } from './desired.ts';
import { pinOf } from './pin.ts';
import { configMapNames, fileSecretNames, modulesOf } from './sources.ts';
import { act, type Context, report, type Visit } from './visit.ts';

/** Throws `waiting` while nixpkgs is being resolved, and where an object or a key is not there yet. */
export async function render(visit: Visit): Promise<Desired> {
  const { node, context, services, login } = visit;
  const nixpkgs = await resolveNixpkgs(visit);
  const modules = modulesOf(node, context.read.list(NixModule, node.metadata.namespace ?? ''));
  const desired = desiredRelease({
    node,
    modules,
    nixpkgs,
    content: await loadContent([node, ...modules], context, node.metadata.namespace ?? ''),
    system: node.spec.system ?? visit.seen.facts.system,
    authorizedKeys: login.authorizedKeys,
    firnModules: services.firnModules,
    hmacKey: services.installation.hmacKey,
  });
  visit.desiredId = desired.id;
  report(visit, visit.seen);
  return desired;
}

async function resolveNixpkgs(visit: Visit): Promise<{ url: string; locked: unknown }> {
  const { node, context } = visit;
  const { url } = node.spec.nixpkgs!;
  const pin = pinOf(node, visit.seen);
  if (pin.state === 'known') {
    context.report({ nixpkgs: pin.record });
    return { url, locked: pin.locked };
  }
  if (pin.state === 'unknown') {
    if (node.spec.deploy.mode === 'Paused') {
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

/** A cluster with Kubernetes on booted hosts: what docs/examples has, made by the operator. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { type Booted, hardware, startBooted } from './booted.ts';
import { apply, namespace } from './fleet.ts';
import { type Asking, askingOf } from './hosts/asking.ts';
import type { StartOptions, TestHost } from './hosts/start.ts';
import { kubeletSettings, machine, putImage } from './kubernetes-machine.ts';
import { waitFor } from './wait.ts';

type Fields = { [field: string]: unknown };
type Written = { kind: string; metadata: { name: string }; spec: Fields };

/** As root on a control-plane host has it. */
export const kubectl = 'KUBECONFIG=/etc/kubernetes/cluster-admin.kubeconfig kubectl';

export type KubernetesCluster = AsyncDisposable & {
  booted: Booted;
  host(name: string): TestHost;
  /** The only one that hosts have, if they have only one. */
  family: 'IPv6' | undefined;
  on(name: string): Asking;
};

const folder = join(import.meta.dirname, '../../docs/examples');

/** Its objects, in the namespace of the tests. */
export const exampleOf = (file: string): Written[] =>
  parseAllDocuments(readFileSync(join(folder, file), 'utf8')).map((document) => {
    const object = document.toJS() as Written;
    return { ...object, metadata: { ...object.metadata, namespace } };
  });

export const nodesOf = (example: readonly Written[]): string[] =>
  example.filter(({ kind }) => kind === 'NixNode').map(({ metadata }) => metadata.name);

export async function startKubernetesHosts(
  names: string[],
  { flavour = 'kubernetes', ...network }: Pick<Partial<StartOptions>, 'family' | 'flavour'> = {},
): Promise<KubernetesCluster> {
  const hosts = { flavour, prepare: putImage, ...network } as const;
  const booted = await startBooted({ names, hosts });
  const host = (name: string) => booted.hosts.find((one) => one.name === name)!;
  return {
    ...{ booted, host, family: network.family },
    on: (name) => askingOf(host(name)),
    [Symbol.asyncDispose]: () => booted[Symbol.asyncDispose](),
  };
}

/** What all hosts of a test have by a NixModule: the kernel there has no WireGuard. */
const machines = (): object => ({
  apiVersion: 'firn.dev/v1alpha1',
  kind: 'NixModule',
  metadata: { name: 'test-machine', namespace },
  spec: { inline: `{ pkgs, ... }: { firn.mesh.implementation = "userspace"; ${machine} }\n` },
});

/** What is different on machines of tests: where they are, what they are built from, and containerd, since there is no CRI-O. */
export function fitted(example: readonly Written[], cluster: KubernetesCluster): object[] {
  return example.map((object) => {
    switch (object.kind) {
      case 'NixCluster': {
        const { nixpkgs: _, kubernetes, ...spec } = object.spec;
        const { version } = kubernetes as { version: string };
        const nixpkgs = { url: 'path:/srv/nixpkgs' };
        const kubelet = { ...(spec.kubelet as Fields), ...kubeletSettings };
        return {
          ...object,
          spec: { ...spec, kubernetes: { version }, nixpkgs, kubelet, runtime: 'Containerd' },
        };
      }
      case 'NixNode': {
        const { system: _, mesh: written, ...spec } = object.spec;
        // The default of an endpoint, ssh.host, is what it is here.
        const { endpoint: __, ...mesh } = (written ?? {}) as Fields;
        const { address, address6, port, hostKey } = cluster.host(object.metadata.name);
        const host = cluster.family === 'IPv6' ? address6 : address;
        const ssh = { host, port, keyRef: { name: 'deploy-key' }, hostKeys: [hostKey] };
        return {
          ...object,
          spec: { ...spec, ...(written !== undefined && { mesh }), ssh, modules: [{ inline: hardware }] },
        };
      }
      default:
        return object;
    }
  });
}

/** As `kubectl apply` of the whole. */
export const applyExample = (cluster: KubernetesCluster, objects: readonly object[]): Promise<void> =>
  apply(cluster.booted.cluster, machines(), ...objects);

type Condition = { type: string; status: string; reason: string; message: string };
type Conditioned = { kind: string; metadata: { name: string }; status?: { conditions?: Condition[] } };

/** What does not hold yet by the objects of the bootstrap cluster, a line each. */
async function unmet({ booted }: KubernetesCluster): Promise<{ lines: string[]; isStalled: boolean }> {
  const kinds = 'nixclusters,nixnodes,wireguardmeshes,clusterpkis';
  const { stdout } = await booted.cluster.kubectl(['get', kinds, '-n', namespace, '-o', 'json']);
  const all = (JSON.parse(stdout) as { items: Conditioned[] }).items.flatMap(({ kind, metadata, status }) =>
    (status?.conditions ?? []).map((one) => ({ of: `${kind} ${metadata.name}`, ...one })),
  );
  const lines = all
    .filter(
      ({ type, status }) => status !== (type === 'Stalled' || type === 'Reconciling' ? 'False' : 'True'),
    )
    .map(({ of, type, reason, message }) => `${of}: ${type}: ${reason}: ${message}`);
  return { lines, isStalled: all.some(({ type, status }) => type === 'Stalled' && status === 'True') };
}

/** Waits until that many Nodes are ready, as a control-plane host sees them. Throws as soon as somebody would be needed. */
export async function waitForNodes(
  cluster: KubernetesCluster,
  controlPlane: string,
  count: number,
  withinMs: number,
): Promise<void> {
  const ready = `${kubectl} wait --for=condition=Ready node --all --timeout=1s && [ "$(${kubectl} get nodes -o name | wc -l)" = ${count} ]`;
  let last: unknown;
  let stalledSince: number | undefined;
  const ask = async () => {
    const { code, stderr } = await cluster.on(controlPlane).attempt(ready);
    if (code === 0) return true;
    const { lines, isStalled } = await unmet(cluster);
    last = [stderr, ...lines];
    stalledSince = isStalled ? (stalledSince ?? Date.now()) : undefined;
    if (stalledSince !== undefined && Date.now() - stalledSince > stalledMs)
      throw new Error(`nobody comes further without help:\n${lines.join('\n')}`);
    return false;
  };
  await waitFor(`${count} Nodes`, ask, { withinMs, everyMs: 500, otherwise: () => last });
}

/** What others have to do first is said in the same way; that lasts moments. */
const stalledMs = 20_000;

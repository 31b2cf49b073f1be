/** From a change of a NixNode to the first command on its host. */
import { NixNode } from '../../crds/index.ts';
import { namespace } from '../../test/support/fleet.ts';
import { waitFor } from '../../test/support/wait.ts';
import { monotonicMs } from '../clock.ts';
import { fieldManager, type Ground, makeGround } from '../fleet/ground.ts';
import { type Manifest, manifestOf, nodeName } from '../fleet/nodes.ts';
import { type Spread, spreadOf } from '../spread.ts';

export type LatencySettings = {
  /** How many idle NixNodes there are, smallest first. */
  nodes: number[];
  samples: number;
  /** With a kubectl process each, which takes a while. */
  kubectlSamples: number;
};

/** `open`: used within the last 30 seconds. `new`: of a host at rest, so a login comes first. */
type ConnectionKind = 'open' | 'new';
export type Latency = Spread & { nodes: number; by: 'request' | 'kubectl'; connection: ConnectionKind };

export async function measureLatency(
  settings: LatencySettings,
  profile: string | undefined,
  say: (text: string) => void,
): Promise<Latency[]> {
  await using ground = await makeGround(Math.max(...settings.nodes), profile);
  const results: Latency[] = [];
  for (const nodes of settings.nodes) {
    say(`latency: ${nodes} ${nodes === 1 ? 'node' : 'nodes'} …`);
    await ground.grow(nodes);
    // The connection of a single one is cut, or wanted open, anyway.
    if (nodes > 1) await ground.rest();
    const take = async (by: Latency['by'], connection: ConnectionKind, count: number) => {
      const samples = await sample(ground, { nodes, by, connection, count });
      results.push({ nodes, by, connection, ...spreadOf(samples) });
    };
    await take('request', 'new', settings.samples);
    await take('request', 'open', settings.samples);
    await take('kubectl', 'open', settings.kubectlSamples);
  }
  return results;
}

type Series = Pick<Latency, 'nodes' | 'by' | 'connection'> & { count: number };

/** One after the other: the next change is made when the status says that the last one was seen. */
async function sample(ground: Ground, { nodes, by, connection, count }: Series): Promise<number[]> {
  const samples: number[] = [];
  const change = by === 'kubectl' ? byKubectl : byRequest;
  // A first one, which opens the connection of a series that wants it open, is not counted.
  for (let round = 0; round <= count; round++) {
    const index = connection === 'new' ? round % nodes : 0;
    if (connection === 'new') await ground.hosts.cut(index);
    await pause();
    const ms = await timed(ground, index, change);
    if (round > 0) samples.push(ms);
  }
  return samples;
}

async function timed({ hosts, ...ground }: Ground, index: number, change: Change): Promise<number> {
  const manifest = changed(manifestOf(index, hosts.logins[index]!));
  const next = await hosts.nextCall(index);
  const from = monotonicMs();
  const generation = await change(ground, manifest);
  const { atMs } = await next.call;
  await waitFor(
    `the status of ${nodeName(index)}`,
    async () => (await read(ground, index)).status?.observedGeneration === generation,
    { everyMs: 15 },
  );
  return atMs - from;
}

type Api = Pick<Ground, 'client' | 'cluster'>;
/** Resolves to the generation that the change made. */
type Change = (ground: Api, manifest: Manifest) => Promise<number>;

/** What `kubectl apply --server-side` sends. */
const byRequest: Change = async ({ client }, manifest) => {
  const { metadata } = await client.apply(NixNode, manifest, { fieldManager, signal: signal() });
  return metadata.generation ?? 0;
};

const byKubectl: Change = async ({ client, cluster }, manifest) => {
  const object = JSON.stringify({ apiVersion: 'firn.dev/v1alpha1', kind: 'NixNode', ...manifest });
  const { code, stderr } = await cluster.kubectl(['apply', '--server-side', '-f', '-'], object);
  if (code !== 0) throw new Error(stderr);
  const { name } = manifest.metadata;
  return (await client.get(NixNode, { namespace, name }, { signal: signal() })).metadata.generation ?? 0;
};

const read = async ({ client }: Api, index: number): Promise<NixNode> =>
  (await client.get(
    NixNode,
    { namespace, name: nodeName(index) },
    { signal: signal() },
  )) as unknown as NixNode;

/** A change of spec after which nothing is to be deployed: the operator looks at the host, and is done. */
let changes = 0;
function changed(manifest: Manifest): Manifest {
  changes += 1;
  return { ...manifest, spec: { ...manifest.spec, deploy: { confirmWithin: `${60 + (changes % 600)}s` } } };
}

const signal = () => AbortSignal.timeout(30_000);

/** Of no fixed length, so that samples do not keep step with anybody's timer. */
const pause = () => new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 60));

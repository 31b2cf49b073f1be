/** What latency and memory are measured on: a cluster, hosts at rest, and the operator, a process each. */
import { loadInstallation } from '../../controllers/installation.ts';
import { systemClock } from '../../controllers/lib/core/clock.ts';
import { KubeClient } from '../../controllers/lib/kube/client.ts';
import { kubeConfigFrom } from '../../controllers/lib/kube/config.ts';
import { NixNode } from '../../crds/index.ts';
import { startTestCluster, type TestCluster } from '../../test/support/cluster.ts';
import { installationNamespace, installFirn } from '../../test/support/firn.ts';
import { apply, isReady, namespace, sshKeySecret } from '../../test/support/fleet.ts';
import { waitFor } from '../../test/support/wait.ts';
import { inParallel } from '../in-parallel.ts';
import { type Hosts, startHosts } from './hosts.ts';
import { manifestOf } from './nodes.ts';
import { type Operator, startOperator } from './operator.ts';

export type Ground = AsyncDisposable & {
  readonly cluster: TestCluster;
  readonly client: KubeClient;
  readonly hosts: Hosts;
  readonly operator: Operator;
  /** Brings the fleet to so many NixNodes; resolves when each is Ready. */
  grow(count: number): Promise<void>;
  /** Resolves when the operator has closed its connections to hosts, or most of them where it goes on visiting. */
  rest(): Promise<void>;
};

const concurrency = 16;
const requestMs = 60_000;
/** As kubectl calls itself in server-side apply. */
export const fieldManager = 'kubectl';

export async function makeGround(hostCount: number, profile: string | undefined): Promise<Ground> {
  await using started = new AsyncDisposableStack();
  const cluster = started.use(await startTestCluster());
  await installFirn(cluster);
  const client = started.adopt(new KubeClient(kubeConfigFrom(cluster.kubeconfig), systemClock), (one) =>
    one.close(),
  );
  const installation = await loadInstallation(client, installationNamespace, AbortSignal.timeout(requestMs));
  const hosts = started.use(await startHosts(hostCount, installation.hmacKey));
  await apply(cluster, sshKeySecret(hosts.privateKey));
  const operator = started.use(startOperator(cluster.kubeconfig, profile));
  await waitFor('the operator to lead', () => leads(cluster));
  const kept = started.move();
  let size = 0;
  return {
    cluster,
    client,
    hosts,
    operator,
    async grow(count) {
      const fresh = Array.from({ length: count - size }, (_, i) => size + i);
      await inParallel(concurrency, fresh, (index) =>
        client.apply(NixNode, manifestOf(index, hosts.logins[index]!), {
          fieldManager,
          signal: AbortSignal.timeout(requestMs),
        }),
      );
      size = count;
      await allReady(client, hosts, count);
    },
    rest: () => atRest(hosts, size),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

async function leads(cluster: TestCluster): Promise<boolean> {
  const args = ['get', 'lease', 'firn-operator', '-n', installationNamespace, '-o'];
  const { stdout } = await cluster.kubectl([...args, 'jsonpath={.spec.holderIdentity}']);
  return stdout !== '';
}

/** Asks the hosts first, which costs nobody anything; the API server only when all were visited. */
async function allReady(client: KubeClient, hosts: Hosts, count: number): Promise<void> {
  const reach = (what: string, so: () => Promise<number>, withinMs: number) => {
    let last = 0;
    const ask = async () => {
      last = await so();
      return last >= count;
    };
    return waitFor(what, ask, { withinMs, everyMs: 500, otherwise: () => last });
  };
  const called = async () => (await hosts.count()).called;
  await reach('all hosts to be visited', called, 60_000 + count * 50);
  await reach('all nodes to be Ready', () => countReady(client), 60_000);
}

async function countReady(client: KubeClient): Promise<number> {
  let ready = 0;
  let next = '';
  do {
    const signal = AbortSignal.timeout(requestMs);
    const page = await client.list(NixNode, { namespace, limit: 500, continue: next, signal });
    ready += page.items.filter((item) => isReady(item as unknown as NixNode)).length;
    next = page.continue;
  } while (next !== '');
  return ready;
}

/** An idle connection is closed after 30 seconds; a node is visited every 5 minutes, ten thousand of them all the time. */
const restMs = 45_000;

async function atRest(hosts: Hosts, size: number): Promise<void> {
  const end = Date.now() + restMs;
  const few = size / 5;
  const quiet = async () => (await hosts.count()).connections === 0 || Date.now() > end;
  await waitFor('connections to be closed', quiet, { withinMs: 2 * restMs, everyMs: 500 });
  const { connections } = await hosts.count();
  if (connections > few) throw new Error(`${connections} connections to ${size} hosts are still open`);
}

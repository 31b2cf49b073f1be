import { systemClock } from '../../controllers/lib/core/clock.ts';
import { KubeClient } from '../../controllers/lib/kube/client.ts';
import { kubeConfigFrom } from '../../controllers/lib/kube/config.ts';
import { type Probe, ProbeKind } from '../../test/support/probe.ts';
import { inParallel } from '../in-parallel.ts';

const namespace = 'default';
const deadlineMs = 120_000;
const concurrency = 32;
/** About what a small resource weighs. */
const payload = 'x'.repeat(512);

const signal = () => AbortSignal.timeout(deadlineMs);

export const clientOf = (kubeconfig: string) => new KubeClient(kubeConfigFrom(kubeconfig), systemClock);

/** Removes what there is and makes `count` anew, none of them with a status. */
export async function renewProbes(client: KubeClient, count: number, value: string): Promise<void> {
  const names = (await allProbes(client)).map((probe) => probe.metadata.name);
  await inParallel(concurrency, names, (name) =>
    client.delete(ProbeKind, { namespace, name }, { signal: signal() }),
  );
  const fresh = Array.from({ length: count }, (_, i) => `probe-${String(i).padStart(6, '0')}`);
  await inParallel(concurrency, fresh, (name) =>
    client.create(
      ProbeKind,
      { metadata: { namespace, name }, spec: { value, payload } },
      { signal: signal() },
    ),
  );
}

/** How many say that they have seen `value`. */
export async function reconciled(client: KubeClient, value: string): Promise<number> {
  const probes = await allProbes(client);
  return probes.filter((probe) => probe.status?.observedValue === value).length;
}

/** The revision of etcd: it moves by one with every write of anything, and costs next to nothing to ask for. */
export async function revision(client: KubeClient): Promise<number> {
  const page = await client.list(ProbeKind, { namespace, limit: 1, holds: 'metadata', signal: signal() });
  return Number(page.resourceVersion);
}

async function allProbes(client: KubeClient): Promise<Probe[]> {
  const probes: Probe[] = [];
  let next = '';
  do {
    const page = await client.list(ProbeKind, { namespace, limit: 500, continue: next, signal: signal() });
    probes.push(...(page.items as unknown as Probe[]));
    next = page.continue;
  } while (next !== '');
  return probes;
}

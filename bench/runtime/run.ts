import type { ChildProcess } from 'node:child_process';
import type { KubeClient } from '../../controllers/lib/kube/client.ts';
import { startTestCluster } from '../../test/support/cluster.ts';
import { probeCrd } from '../../test/support/probe.ts';
import { ended, type Usage, usageOf } from '../processes.ts';
import { controllerRuntime, firn } from './contestants.ts';
import { clientOf, reconciled, renewProbes, revision } from './probes.ts';

export type RuntimeSettings = { objects: number; workers: number; rounds: number };

/** One run of one contestant: from the start of its process to the last status. */
export type Measured = {
  contestant: string;
  round: number;
  seconds: number;
  /** From the first status to the last: without the start of the process and its list. */
  writingSeconds: number;
  objectsPerSecond: number;
  cpuMsPerObject: number;
  /** The API server's CPU meanwhile, etcd's not included. */
  apiserverCpuSeconds: number;
  rssMiB: number;
  peakRssMiB: number;
};

const runDeadlineMs = 180_000;
const pollMs = 25;

/** Same API server, same objects, one after the other, in turns. */
export async function measureRuntime(
  settings: RuntimeSettings,
  profile: string | undefined,
  say: (text: string) => void,
): Promise<Measured[]> {
  const peer = await controllerRuntime();
  if (typeof peer === 'string') say(peer);
  const contestants = typeof peer === 'string' ? [firn(profile)] : [peer, firn(profile)];
  await using cluster = await startTestCluster();
  await cluster.kubectl(['apply', '-f', '-'], JSON.stringify(probeCrd));
  await cluster.kubectl(['wait', '--for=condition=Established', 'crd/probes.test.firn.dev']);
  const client = clientOf(cluster.kubeconfig);
  const apiserverCpu = async () => {
    const { stdout } = await cluster.kubectl(['get', '--raw', '/metrics']);
    return Number(/^process_cpu_seconds_total (\S+)/m.exec(stdout)?.[1] ?? 0);
  };
  const results: Measured[] = [];
  try {
    for (let round = 1; round <= settings.rounds; round++) {
      for (const contestant of contestants) {
        say(`runtime: round ${round}, ${settings.objects} objects for ${contestant.name} …`);
        const value = `${contestant.name}-${round}`;
        await renewProbes(client, settings.objects, value);
        const child = contestant.start(cluster.kubeconfig, settings.workers);
        const cpuBefore = await apiserverCpu();
        const timed = await finished(client, child, value, settings.objects);
        const apiserverCpuSeconds = (await apiserverCpu()) - cpuBefore;
        results.push({ contestant: contestant.name, round, ...timed, apiserverCpuSeconds });
        await ended(child);
      }
    }
  } finally {
    await client.close();
  }
  return results;
}

async function finished(client: KubeClient, child: ChildProcess, value: string, objects: number) {
  const startedAt = performance.now();
  const from = await revision(client);
  let firstAt = 0;
  let enough = objects;
  for (;;) {
    const written = (await revision(client)) - from;
    const now = performance.now();
    if (written > 0 && firstAt === 0) firstAt = now;
    // The revision counts every write, events too; so at the end the objects themselves are asked.
    if (written >= enough) {
      const usage = usageOf(child.pid!);
      const missing = objects - (await reconciled(client, value));
      if (missing === 0) return summary(objects, now - startedAt, now - firstAt, usage);
      enough = written + missing;
    }
    if (now - startedAt > runDeadlineMs || child.exitCode !== null)
      throw new Error(`${value}: ${written} of ${objects}`);
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

const summary = (objects: number, ms: number, writingMs: number, usage: Usage) => ({
  seconds: ms / 1000,
  writingSeconds: writingMs / 1000,
  objectsPerSecond: (objects / writingMs) * 1000,
  cpuMsPerObject: (usage.cpuSeconds * 1000) / objects,
  rssMiB: usage.rssMiB,
  peakRssMiB: usage.peakRssMiB,
});

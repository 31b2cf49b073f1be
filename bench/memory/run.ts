/** What the operator holds of a fleet at rest, as the fleet grows. */
import { makeGround } from '../fleet/ground.ts';

export type MemorySettings = {
  /** Sizes of the fleet, smallest first. */
  nodes: number[];
};

export type Memory = {
  nodes: number;
  /** From the first NixNode that was added to the last that was Ready. */
  growSeconds: number;
  /** The highest so far. */
  peakRssMiB: number;
  rssMiB: number;
  /** After a full collection: what is really held. */
  heapMiB: number;
  /** Outside of V8's heap, held by its objects. */
  externalMiB: number;
  /** Of what is held, per NixNode, over an operator without any. */
  kibPerNode: number;
  /** SSH connections open at that time. */
  connections: number;
};

const mebi = 2 ** 20;

export async function measureMemory(
  { nodes }: MemorySettings,
  profile: string | undefined,
  say: (text: string) => void,
): Promise<Memory[]> {
  await using ground = await makeGround(Math.max(...nodes), profile);
  const { operator, hosts } = ground;
  const results: Memory[] = [];
  let empty = 0;
  for (const count of [0, ...nodes]) {
    say(`memory: ${count} nodes …`);
    const startedAt = performance.now();
    await ground.grow(count);
    const growSeconds = (performance.now() - startedAt) / 1000;
    await ground.rest();
    const { rssMiB, peakRssMiB } = operator.usage();
    const { connections } = await hosts.count();
    const { heapUsed, external } = await operator.collect();
    const held = heapUsed + external;
    if (count === 0) empty = held;
    results.push({
      nodes: count,
      growSeconds,
      peakRssMiB,
      rssMiB,
      heapMiB: heapUsed / mebi,
      externalMiB: external / mebi,
      kibPerNode: count === 0 ? 0 : (held - empty) / count / 1024,
      connections,
    });
  }
  return results;
}

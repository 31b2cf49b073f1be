import type { TestHost } from './hosts/start.ts';

export type Flow = { from: TestHost; to: string };
export type Lost = { from: string; to: string; sent: number; lost: number };

/**
 * Pings along all flows at once, 100 packets a second each, while `during` runs; resolves with those that lost
 * any. A packet counts as lost that is not answered within a second.
 */
export async function lostDuring(flows: readonly Flow[], during: () => Promise<void>): Promise<Lost[]> {
  const running = flows.map(async ({ from, to }) => {
    // Interrupted it prints its sums; the last packet may be on its way still.
    const script = `ping -n -q -i 0.01 -W 1 -w 120 ${to} & echo $! >>/run/pings; wait $!`;
    const { stdout } = await from.run(script, { allowFailure: true, timeoutMs: 150_000 });
    const [, sent = '0', received = '0'] = /(\d+) packets transmitted, (\d+) received/.exec(stdout) ?? [];
    const lost = Number(sent) - Number(received);
    return { from: from.name, to, sent: Number(sent), lost: lost <= 1 ? 0 : lost };
  });
  const hosts = [...new Set(flows.map(({ from }) => from))];
  try {
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await during();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  } finally {
    await Promise.all(
      hosts.map((host) => host.run('kill -INT $(cat /run/pings); rm -f /run/pings', { allowFailure: true })),
    );
  }
  const all = await Promise.all(running);
  if (all.some(({ sent }) => sent < 100)) throw new Error(`nothing was sent: ${JSON.stringify(all)}`);
  return all.filter(({ lost }) => lost > 0);
}

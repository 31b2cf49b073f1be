import type { TestHost } from './hosts/start.ts';

export type Flow = { from: TestHost; to: string };
export type Counted = { from: string; to: string; sent: number; lost: number };

/** Ends the bursts of a host, each of which then has waited for its last answers. */
const endFile = '/run/pings-end';

/**
 * Pings along all flows at once, 100 packets a second each, while `during` runs. A packet counts as lost that is not answered
 * within a second. In bursts of three seconds, since a ping that is interrupted does not wait for what is on its way.
 */
export async function pingedDuring(flows: readonly Flow[], during: () => Promise<void>): Promise<Counted[]> {
  const hosts = [...new Set(flows.map(({ from }) => from))];
  await Promise.all(hosts.map((host) => host.run(`rm -f ${endFile}`)));
  const running = flows.map(async ({ from, to }) => {
    const burst = `ping -n -q -i 0.01 -c 300 -W 1 ${to}`;
    const script = `while [ ! -e ${endFile} ]; do ${burst}; done`;
    const { stdout } = await from.run(script, { allowFailure: true, timeoutMs: 300_000 });
    const counts = [...stdout.matchAll(/(\d+) packets transmitted, (\d+) received/g)];
    const sum = (at: number) => counts.reduce((all, match) => all + Number(match[at]), 0);
    return { from: from.name, to, sent: sum(1), lost: sum(1) - sum(2) };
  });
  try {
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await during();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  } finally {
    await Promise.all(hosts.map((host) => host.run(`touch ${endFile}`, { allowFailure: true })));
  }
  const all = await Promise.all(running);
  if (all.some(({ sent }) => sent < 100)) throw new Error(`nothing was sent: ${JSON.stringify(all)}`);
  return all;
}

/** As `pingedDuring`; resolves with the flows that lost any. */
export const lostDuring = async (flows: readonly Flow[], during: () => Promise<void>): Promise<Counted[]> =>
  (await pingedDuring(flows, during)).filter(({ lost }) => lost > 0);

/** Clients on a host that do not pause: one writes to the API and reads it back, one asks the Service `web`. */
import type { Asking } from './hosts/asking.ts';
import { kubectl } from './kubernetes-cluster.ts';

export type Written = {
  /** Those that were made, and read again as they were. */
  writes: number;
  /** What had to be tried again. */
  failed: number;
  /** Reads that succeeded and said something else than what was written before. */
  wrong: number;
  /** Between two writes that were made. */
  longestGapSeconds: number;
  /** The number that was written last. */
  last: number;
};
export type Answered = {
  asked: number;
  /** At which times of the host's clock nobody answered. */
  unanswered: string[];
};
export type Client<Counts> = { stop(): Promise<Counts> };

/** Every line that `script` prints, until /run/NAME-stop is there. */
async function start(host: Asking, name: string, script: string): Promise<Client<string[]>> {
  await host.run(`rm -f /run/${name}-stop; cat >/run/${name}; chmod +x /run/${name}`, script);
  const output = `-p StandardOutput=truncate:/run/${name}-log --setenv=PATH="$PATH"`;
  await host.run(`systemd-run --quiet --unit=test-${name} --collect ${output} /run/${name}`);
  await host.eventually(`a line of ${name}`, `[ -s /run/${name}-log ]`, 30_000);
  return {
    async stop() {
      await host.run(`touch /run/${name}-stop`);
      await host.eventually(`the end of ${name}`, `! systemctl is-active --quiet test-${name}`, 30_000);
      return (await host.run(`cat /run/${name}-log`)).split('\n');
    },
  };
}

/** Counts up in a ConfigMap of that name, by the balancer of its own host, as kubelet and kube-proxy do it. */
export async function startWriting(host: Asking, name = 'counter'): Promise<Client<Written>> {
  const ask = `${kubectl} --server=https://127.0.0.1:7443 --request-timeout=2s`;
  await host.eventually(
    'a ConfigMap',
    `${ask} get configmap ${name} || ${ask} create configmap ${name}`,
    30_000,
  );
  const client = await start(
    host,
    'writing',
    `#!/bin/sh
n=0
while [ ! -e /run/writing-stop ]; do
  n=$((n + 1))
  if ! ${ask} patch configmap ${name} -p '{"data":{"n":"'$n'"}}' >/dev/null 2>&1 ||
    ! read=$(${ask} get configmap ${name} -o jsonpath={.data.n} 2>/dev/null); then
    echo failed
    sleep 0.1
  elif [ "$read" = "$n" ]; then
    echo "$(date +%s.%N) $n"
  else
    echo "wrong: wrote $n, read $read"
  fi
done
`,
  );
  return { stop: async () => countWrites(await client.stop()) };
}

function countWrites(lines: string[]): Written {
  const made = lines.filter((line) => /^\d/.test(line)).map((line) => line.split(' ').map(Number));
  const gaps = made.slice(1).map(([at], before) => at! - made[before]![0]!);
  return {
    writes: made.length,
    failed: lines.filter((line) => line === 'failed').length,
    wrong: lines.filter((line) => line.startsWith('wrong')).length,
    longestGapSeconds: Math.max(...gaps),
    last: made.at(-1)?.[1] ?? 0,
  };
}

/** By the address of the Service, so that names have no part in it. */
export async function startAsking(host: Asking): Promise<Client<Answered>> {
  const address = await host.run(`${kubectl} get service web -o 'jsonpath={.spec.clusterIP}'`);
  const url = address.includes(':') ? `http://[${address}]` : `http://${address}`;
  const client = await start(
    host,
    'asking',
    `#!/bin/sh
while [ ! -e /run/asking-stop ]; do
  if busybox wget -q -O - -T 3 ${url} >/dev/null 2>&1; then echo yes; else date +%T; fi
  sleep 0.1
done
`,
  );
  return {
    async stop() {
      const lines = await client.stop();
      return { asked: lines.length, unanswered: lines.filter((line) => line !== 'yes') };
    },
  };
}

/** Both, while something else happens. */
export async function busy(host: Asking, work: () => Promise<void>): Promise<Written & Answered> {
  const writing = await startWriting(host);
  const asking = await startAsking(host);
  await work();
  return { ...(await writing.stop()), ...(await asking.stop()) };
}

/** A client on a host that writes to the API without a pause, and counts how long it could not. */
import type { Asking } from './hosts/asking.ts';

export type Heartbeat = {
  /** Ends it: how many writes there were, and the longest time between two that succeeded. */
  stop(): Promise<{ writes: number; failed: number; longestGapSeconds: number; last: number }>;
};

/** By the balancer of its own host, as kubelet and kube-proxy do it. Each write is read again before the next. */
export async function startHeartbeat(host: Asking, name: string): Promise<Heartbeat> {
  const ask =
    'KUBECONFIG=/etc/kubernetes/cluster-admin.kubeconfig kubectl --server=https://127.0.0.1:7443 --request-timeout=2s';
  const script = `#!/bin/sh
n=0
while [ ! -e /run/heartbeat-stop ]; do
  n=$((n + 1))
  if ${ask} patch configmap ${name} -p '{"data":{"n":"'$n'"}}' >/dev/null 2>&1 &&
    [ "$(${ask} get configmap ${name} -o jsonpath={.data.n} 2>/dev/null)" = "$n" ]; then
    echo "$(date +%s.%N) $n"
  else
    echo failed
  fi
done
`;
  await host.run(`${ask} create configmap ${name}`);
  await host.run('rm -f /run/heartbeat-stop; cat >/run/heartbeat; chmod +x /run/heartbeat', script);
  await host.run(
    'systemd-run --quiet --unit=heartbeat -p StandardOutput=truncate:/run/heartbeat-log --setenv=PATH="$PATH" /run/heartbeat',
  );
  await host.eventually('a first write', '[ -s /run/heartbeat-log ]', 30_000);
  return {
    async stop() {
      await host.run('touch /run/heartbeat-stop');
      await host.eventually('its end', '! systemctl is-active --quiet heartbeat', 30_000);
      const lines = (await host.run('cat /run/heartbeat-log')).split('\n');
      const written = lines.filter((line) => line !== 'failed').map((line) => line.split(' ').map(Number));
      const gaps = written.slice(1).map(([at], before) => at! - written[before]![0]!);
      return {
        writes: written.length,
        failed: lines.length - written.length,
        longestGapSeconds: Math.max(...gaps),
        last: written.at(-1)?.[1] ?? 0,
      };
    },
  };
}

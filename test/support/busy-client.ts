/** A client of a cluster that does not pause, on a control-plane host of it. */
import type { Asking } from './hosts/asking.ts';

/**
 * On the host, until its file is gone: counts up in a ConfigMap and reads it back, each until it succeeds; and asks the
 * Service, by its address. A line for what went wrong, and the counts at the end.
 */
const client = `
set -u
export KUBECONFIG=/etc/kubernetes/cluster-admin.kubeconfig
address=$(kubectl get service web -o 'jsonpath={.spec.clusterIP}')
written=0 retried=0 wrong=0 asked=0 gap=0
touch /run/client-runs
( while [ -e /run/client-runs ]; do
    if busybox wget -q -O - -T 2 "http://$address" >/dev/null 2>&1; then echo yes; else echo no; fi
    sleep 0.2
  done >/run/client-web ) &
while [ -e /run/client-runs ]; do
  n=$((written + 1))
  until kubectl patch configmap counter --request-timeout=5s --type=merge -p "{\\"data\\":{\\"n\\":\\"$n\\"}}" >/dev/null 2>&1; do
    retried=$((retried + 1)); sleep 0.2; [ -e /run/client-runs ] || break 2
  done
  written=$n
  until read=$(kubectl get configmap counter --request-timeout=5s -o 'jsonpath={.data.n}' 2>/dev/null); do
    retried=$((retried + 1)); sleep 0.2; [ -e /run/client-runs ] || break 2
  done
  [ "$read" = "$written" ] || { wrong=$((wrong + 1)); echo "wrote $written, read $read"; }
done
wait
echo "written=$written retried=$retried wrong=$wrong asked=$(wc -l </run/client-web) unanswered=$(grep -c no /run/client-web)" >/run/client-counts
`;

export type Counts = Record<'written' | 'retried' | 'wrong' | 'asked' | 'unanswered', number>;

/** While it works, the client does. There are a ConfigMap `counter` and a Service `web`. */
export async function busy(host: Asking, work: () => Promise<void>): Promise<Counts> {
  await host.run(`rm -f /run/client-counts; cat >/run/client.sh <<'END'\n${client}\nEND`);
  await host.run('systemd-run --unit=test-client --collect --setenv=PATH=$PATH bash /run/client.sh');
  try {
    await work();
  } finally {
    await host.run('rm -f /run/client-runs');
  }
  const text = await host.eventually('the counts', 'cat /run/client-counts', 60_000);
  return Object.fromEntries(
    text
      .trim()
      .split(' ')
      .map((one) => one.split('=')),
  ) as never as Counts;
}

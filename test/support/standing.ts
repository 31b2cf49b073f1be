/** What a host would show if it had evaluated, built, switched or started anything anew. */
import type { Asking } from './hosts/asking.ts';

/** Units that are restarted for nobody's coming or going. */
const units = [
  ...['sshd', 'systemd-networkd', 'nftables', 'containerd', 'kubelet', 'kube-proxy'],
  ...['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'firn-dns', 'firn-api-balancer'],
];

export const standingOf = (host: Asking): Promise<string> =>
  host.run(
    `readlink /run/current-system
     journalctl --no-pager -o cat | grep -c 'firn-build-' || :
     systemctl show -p Id -p InvocationID ${units.map((unit) => `${unit}.service`).join(' ')}
     cat /sys/class/net/wgkube*/ifindex /sys/class/net/brkube/ifindex 2>/dev/null || :`,
  );

/** Where a frontend listens, as users write it: `192.0.2.1:443`, `[2001:db8::1]:443`, or `:443` for every address. */
import { type Address, addressOrNull } from '../controllers/lib/core/network.ts';
import { isAddress } from './address.ts';
import { type Rule, text, withRules } from './rules.ts';

/** `address` is null where it is every address of the host. */
export type Bind = { readonly address: Address | null; readonly port: number };

const written = /^([0-9.]{7,15}|\[[0-9a-fA-F:.]{2,45}\])?:[1-9][0-9]{0,4}$/;

/**
 * What nodes need themselves: DNS, etcd, the API server and the balancer in front of it, kubelet, kube-proxy, scheduler
 * and controllers. Who listens there first would keep the other out at the next boot.
 */
const taken = [53, 2379, 2380, 2381, 6443, 7443, 10_248, 10_249, 10_250, 10_256, 10_257, 10_259] as const;
const nodePorts = { first: 30_000, last: 32_767 } as const;

/** Null where the text is no bind. */
export function parseBind(bind: string): Bind | null {
  if (!written.test(bind)) return null;
  const colon = bind.lastIndexOf(':');
  const port = Number(bind.slice(colon + 1));
  const host = bind.slice(0, colon);
  if (port > 65_535) return null;
  if (host === '') return { address: null, port };
  const isSix = host.startsWith('[');
  const address = isSix ? host.slice(1, -1) : host;
  const parsed = addressOrNull(address);
  if (!isAddress(address) || parsed!.value === 0n || (parsed!.family === 6) !== isSix) return null;
  return { address: parsed, port };
}

const portCel = "int(self.substring(self.lastIndexOf(':') + 1))";
const hostCel =
  "self.startsWith('[') ? self.substring(1, self.lastIndexOf(']')) : self.substring(0, self.lastIndexOf(':'))";
const looksRight = `self.matches(r'${written.source.replaceAll('\\/', '/')}')`;

const isBind: Rule<string> = {
  cel: `${looksRight} && ${portCel} <= 65535 && (self.startsWith(':') || [${hostCel}].all(host, isIP(host) && !ip(host).isUnspecified() && (ip(host).family() == 6) == self.startsWith('[')))`,
  message:
    'must be an address and a port, such as 192.0.2.1:443 or [2001:db8::1]:443; or :443 for every address of the host',
  test: (bind) => parseBind(bind) !== null,
};

const leavesPorts: Rule<string> = {
  cel: `!${looksRight} || (!(${portCel} in [${taken.join(', ')}]) && (${portCel} < ${nodePorts.first} || ${portCel} > ${nodePorts.last}))`,
  message: `must leave the ports of Kubernetes alone: ${taken.join(', ')} and ${nodePorts.first}-${nodePorts.last}`,
  test: (bind) => {
    if (!written.test(bind)) return true;
    const port = Number(bind.slice(bind.lastIndexOf(':') + 1));
    return !taken.some((one) => one === port) && (port < nodePorts.first || port > nodePorts.last);
  },
};

export const bind = () => withRules(text({ min: 2, max: 54 }), [isBind, leavesPorts]);

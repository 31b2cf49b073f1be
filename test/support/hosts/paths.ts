import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where images are kept from run to run. */
export function imageCache(): string {
  const cache =
    process.env.FIRN_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'firn');
  return join(cache, 'hosts');
}

/** How many test runs a machine can have at once. */
export const slotCount = 32;

/**
 * Everything that a test run with hosts owns on the machine is named by its slot. These names are the same for all
 * users and checkouts, because network interfaces, namespaces and cgroups are the machine's.
 */
export const slotNames = (slot: number) => ({
  lock: `slot-${slot}`,
  /** The interface in the machine's own network namespace. */
  link: `firn${slot}`,
  /** Of network namespaces and containers. */
  prefix: `firn${slot}-`,
  switchNamespace: `firn${slot}-sw`,
  /** Below the root of every hierarchy of cgroups. */
  cgroup: `firn-hosts/${slot}`,
  folder: `/var/tmp/firn-hosts/${slot}`,
});

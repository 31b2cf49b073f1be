/** What a member without data is told: the data file `etcd-cluster`, which nix/modules/kubernetes/etcd.sh reads. Pure. */
import type { EtcdInitial } from '../../../crds/index.ts';

export const etcdClusterFile = ({ state, start, replaces, members }: EtcdInitial): string =>
  [
    `state ${state}`,
    `start ${start}`,
    ...(replaces === undefined ? [] : [`replaces ${replaces}`]),
    ...members.map(({ name, url }) => `member ${name} ${url}`),
    '',
  ].join('\n');

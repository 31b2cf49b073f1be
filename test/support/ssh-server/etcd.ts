/**
 * etcd's files as scripted hosts play them: what nix/modules/kubernetes/etcd.sh makes of the data file `etcd-cluster`. No
 * member runs, and none answers: who needs that has real ones (test/support/real-etcd.ts).
 */
import { createHash } from 'node:crypto';
import type { Observation } from '../../../controllers/lib/host/protocol.ts';
import type { Machine } from './state.ts';

/** What `observe` says under `etcd`. */
export function observeEtcd(machine: Machine): Observation['etcd'] {
  settleEtcd(machine);
  return machine.state.etcd;
}

function settleEtcd({ state }: Machine): void {
  const data = state.stored.data.get(state.releases.get(state.current ?? '')?.parts.data ?? '');
  const content = data?.get('etcd-cluster');
  if (content === undefined) return;
  const lines = Buffer.from(content).toString('utf8').split('\n');
  const said = (word: string): string | null =>
    lines.find((line) => line.startsWith(`${word} `))?.slice(word.length + 1) ?? null;
  if (state.etcd.hasData && said('replaces') === state.etcd.memberID)
    state.etcd = { ...state.etcd, hasData: false, clusterID: null, memberID: null };
  const start = said('start');
  if (state.etcd.hasData || start === null || start === state.etcd.started) return;
  const isNew = said('state') === 'new';
  state.etcd = {
    ...state.etcd,
    hasData: true,
    clusterID: isNew ? idOf(`cluster ${content}`) : null,
    memberID: isNew ? idOf(`member ${content}`) : start,
    started: start,
    transport: lines.some((line) => line.endsWith(' unix://peer:0')) ? 'Socket' : 'TLS',
  };
}

const idOf = (text: string): string =>
  createHash('sha1').update(text).digest('hex').slice(0, 16).replace(/^0+/, '');

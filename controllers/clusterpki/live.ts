/** What of a rotation only the running Kubernetes can tell. */
import type { NixCluster } from '../../crds/index.ts';
import type { Gate } from './machine.ts';

export type LiveGates = {
  /** All pods were started when the new authority was trusted already: they load it once. */
  podsRestarted: Gate;
  /** No token that the key to be dropped has signed is in use, legacy ones in Secrets among them. */
  tokensRenewed: Gate;
  /** All Secrets were written again with the key that encrypts now, and no backup needs the other. */
  rewritten: Gate;
};

const open: Gate = { open: true };
const shut = (waitsFor: string): Gate => ({ open: false, waitsFor });

/**
 * Where no Kubernetes runs, there is nothing that could hold on to a key. Where one does, nothing is dropped until it is
 * known that nobody does.
 */
export function liveGates(cluster: NixCluster | undefined): LiveGates {
  if (!cluster?.status?.version) return { podsRestarted: open, tokensRenewed: open, rewritten: open };
  return {
    podsRestarted: shut('pods that were started before the new authority was trusted'),
    tokensRenewed: shut('tokens that the former key has signed'),
    rewritten: shut('Secrets that were written with the former key'),
  };
}

/** ClusterPKI: keeps the keys of a cluster in Secrets, and replaces them on request. It never talks to hosts. */
import { ClusterPKI, NixCluster, NixNode } from '../../crds/index.ts';
import { settleAll } from '../lib/core/settle-all.ts';
import { SecretKind } from '../lib/kube/core-kinds.ts';
import { type Controller, defineController, input, referenced } from '../lib/runtime/controller.ts';
import { finalizePki } from './finalize.ts';
import { clusterForPki, nodeForPki, pkiOfCluster, pkiOfNode, pkisOfSecret } from './inputs.ts';
import { beginVisit, checkExpiry, findAuthorities, findKeys, type PkiServices, rotate } from './visit.ts';

/** Every change of its objects wakes it at once; time passes by itself. */
const recheckMs = 3_600_000;

/** What the controller reads and writes, as data: roles are made from it. */
export const declaration = {
  name: 'clusterpki',
  primary: ClusterPKI,
  inputs: [
    input(NixCluster, pkiOfCluster, clusterForPki),
    input(NixNode, pkiOfNode, nodeForPki),
    referenced(SecretKind, pkisOfSecret),
  ],
  conditions: ['AuthoritiesReady', 'KeysReady', 'Rotated', 'CertificatesValid'],
  finalizer: 'firn.dev/clusterpki',
  creates: [SecretKind],
  patches: [SecretKind],
  deletes: [SecretKind],
} as const;

export function clusterPkiController(services: PkiServices): Controller {
  return defineController<ClusterPKI>({
    ...declaration,

    async reconcile(pki, context) {
      const visit = beginVisit(pki, context, services);
      await settleAll([
        () => context.step('AuthoritiesReady', () => findAuthorities(visit)),
        () => context.step('KeysReady', () => findKeys(visit)),
      ]);
      await settleAll([
        () => context.step('Rotated', () => rotate(visit)),
        () => context.step('CertificatesValid', () => checkExpiry(visit)),
      ]);
      context.summary('Valid');
      return { recheckMs };
    },

    async finalize(pki, context) {
      const outcome = await finalizePki(pki, context, services.objects);
      services.rewritings.delete(pki.metadata.uid);
      services.expiries.delete(`${pki.metadata.namespace}/${pki.metadata.name}`);
      return outcome;
    },
  });
}

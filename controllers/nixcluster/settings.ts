/** What users ask of Kubernetes' components that Firn does not do, beyond what the schema refuses. Pure. */
import type { NixCluster } from '../../crds/index.ts';
import { ownedKubeletFields } from '../../crds/kubernetes-owned.ts';
import { ReconcileError } from '../lib/core/outcome.ts';

/** Throws terminal `SettingRefused`. The schema of these fields is somebody else's, so no rule of ours sees into it. */
export function checkSettings({ spec }: NixCluster): void {
  const taken = ownedKubeletFields.filter((field) => Object.hasOwn(spec.kubelet, field));
  if (taken.length > 0) {
    const message = `spec.kubelet has ${taken.join(', ')}, which Firn sets by itself; remove what is not yours to say`;
    throw new ReconcileError('terminal', 'SettingRefused', message);
  }
}

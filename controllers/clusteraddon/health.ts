/**
 * Whether an object is as it should be, from what it says of itself: the rules of kstatus, which kubectl, Flux and Argo
 * share, in as far as kinds of Kubernetes' own need some. Pure; what an object of a custom kind says is not trusted.
 */
import { workloadHealth } from './health-workloads.ts';
import { conditionIn, current, failed, fieldsIn, type Health, inProgress, numberIn } from './seen.ts';

/** An object as the API server sent it. Any field may be missing, or be something else. */
export type Live = { group: string; kind: string; object: unknown };

export function healthOf({ group, kind, object }: Live): Health {
  const metadata = fieldsIn(object, 'metadata');
  const status = fieldsIn(object, 'status');
  if (metadata.deletionTimestamp !== undefined) {
    const finalizers = Array.isArray(metadata.finalizers) ? metadata.finalizers.join(', ') : '';
    return {
      state: 'Terminating',
      message: finalizers === '' ? 'it is being deleted' : `it is being deleted, and waits for ${finalizers}`,
    };
  }
  const observed = numberIn(status, 'observedGeneration');
  if (observed !== undefined && observed < (numberIn(metadata, 'generation') ?? 0))
    return inProgress('its controller has not looked at it yet');
  const id = group === '' ? kind : `${kind}.${group}`;
  const ofKind = workloadHealth[id] ?? ofKinds[id];
  return ofKind ? ofKind(object) : generic(object);
}

const ofKinds: Readonly<Record<string, (object: unknown) => Health>> = {
  'CustomResourceDefinition.apiextensions.k8s.io': (object) => {
    const names = conditionIn(object, 'NamesAccepted');
    if (names?.status === 'False') return failed(`its names are not accepted: ${names.message}`);
    return conditionIn(object, 'Established')?.status === 'True'
      ? current
      : inProgress('it is not established yet');
  },
  'APIService.apiregistration.k8s.io': (object) => {
    const available = conditionIn(object, 'Available');
    return available?.status === 'True'
      ? current
      : inProgress(`it is not available: ${available?.message ?? ''}`);
  },
  Namespace: (object) => phased(object, { Active: current }),
  PersistentVolumeClaim: (object) => phased(object, { Bound: current, Lost: failed('its volume is lost') }),
  PersistentVolume: (object) =>
    phased(object, {
      Available: current,
      Bound: current,
      Released: current,
      Failed: failed('it could not be taken back'),
    }),
};

function phased(object: unknown, known: Readonly<Record<string, Health>>): Health {
  const { phase } = fieldsIn(object, 'status');
  const name = typeof phase === 'string' ? phase : '';
  return Object.hasOwn(known, name)
    ? known[name]!
    : inProgress(name === '' ? 'it has no phase yet' : `its phase is ${name}`);
}

/** Conditions that are made for this, where they are there; an object without any is as it should be once it is there. */
function generic(object: unknown): Health {
  const stalled = conditionIn(object, 'Stalled');
  if (stalled?.status === 'True') return failed(stalled.message);
  const reconciling = conditionIn(object, 'Reconciling');
  if (reconciling?.status === 'True') return inProgress(reconciling.message);
  const ready = conditionIn(object, 'Ready');
  if (ready !== undefined && ready.status !== 'True') return inProgress(ready.message || 'it is not ready');
  return current;
}

/** What runs pods, and pods. Pure. */
import { conditionIn, current, failed, fieldsIn, type Health, inProgress, numberIn } from './seen.ts';

type Judge = (object: unknown) => Health;

const wanted = (object: unknown): number => numberIn(fieldsIn(object, 'spec'), 'replicas') ?? 1;
const counted = (object: unknown, field: string): number => numberIn(fieldsIn(object, 'status'), field) ?? 0;

/** The first of the counts that is short of what is wanted. */
function short(counts: readonly (readonly [what: string, has: number])[], wants: number): Health | undefined {
  const behind = counts.find(([, has]) => has < wants);
  return behind && inProgress(`${behind[1]} of ${wants} pods are ${behind[0]}`);
}

const deployment: Judge = (object) => {
  const progressing = conditionIn(object, 'Progressing');
  if (progressing?.reason === 'ProgressDeadlineExceeded') return failed(progressing.message);
  const failure = conditionIn(object, 'ReplicaFailure');
  if (failure?.status === 'True') return failed(failure.message);
  const wants = wanted(object);
  const updated = counted(object, 'updatedReplicas');
  const behind = short([['updated', updated]], wants);
  if (behind) return behind;
  const former = counted(object, 'replicas') - updated;
  if (former > 0) return inProgress(`${former} pods of before are still there`);
  return short([['available', counted(object, 'availableReplicas')]], wants) ?? seen(object);
};

/** Without this nobody has looked at it: the counts are those of nothing. */
const seen: Judge = (object) =>
  numberIn(fieldsIn(object, 'status'), 'observedGeneration') === undefined
    ? inProgress('its controller has not looked at it yet')
    : current;

const statefulSet: Judge = (object) => {
  const spec = fieldsIn(object, 'spec');
  const strategy = fieldsIn(spec, 'updateStrategy');
  if (strategy.type === 'OnDelete') return seen(object);
  const wants = wanted(object);
  const partition = numberIn(fieldsIn(strategy, 'rollingUpdate'), 'partition') ?? 0;
  const updates = Math.max(0, wants - partition);
  return (
    short([['there', counted(object, 'replicas')]], wants) ??
    short([['ready', counted(object, 'readyReplicas')]], wants) ??
    short([['updated', counted(object, 'updatedReplicas')]], updates) ??
    seen(object)
  );
};

const daemonSet: Judge = (object) => {
  const looked = seen(object);
  if (looked !== current) return looked;
  const wants = counted(object, 'desiredNumberScheduled');
  const counts = [
    ['updated', counted(object, 'updatedNumberScheduled')],
    ['available', counted(object, 'numberAvailable')],
  ] as const;
  return short(counts, wants) ?? current;
};

const replicaSet: Judge = (object) => {
  const failure = conditionIn(object, 'ReplicaFailure');
  if (failure?.status === 'True') return failed(failure.message);
  return short([['available', counted(object, 'availableReplicas')]], wanted(object)) ?? seen(object);
};

const job: Judge = (object) => {
  const over = conditionIn(object, 'Failed');
  if (over?.status === 'True') return failed(over.message || 'it failed');
  if (conditionIn(object, 'Complete')?.status === 'True') return current;
  if (fieldsIn(object, 'spec').suspend === true) return current;
  return inProgress(`it is not complete: ${counted(object, 'active')} pods run`);
};

const pod: Judge = (object) => {
  const { phase } = fieldsIn(object, 'status');
  if (phase === 'Succeeded') return current;
  if (phase === 'Failed') return failed('it failed');
  const ready = conditionIn(object, 'Ready');
  return ready?.status === 'True'
    ? current
    : inProgress(ready?.message || `its phase is ${String(phase ?? 'unknown')}`);
};

export const workloadHealth: Readonly<Record<string, Judge>> = {
  'Deployment.apps': deployment,
  'StatefulSet.apps': statefulSet,
  'DaemonSet.apps': daemonSet,
  'ReplicaSet.apps': replicaSet,
  'Job.batch': job,
  Pod: pod,
};

/** What a NixNode's status means, in words. Pure. */
import type { Condition, NixNode } from '../crds/index.ts';

export const conditionOf = (node: NixNode, type: string): Condition | undefined =>
  node.status?.conditions?.find((condition) => condition.type === type);

export const readyOf = (node: NixNode): Condition | undefined => conditionOf(node, 'Ready');

/** The message of the first thing that is not as it should be; undefined where the node is ready. */
export function waitsFor(node: NixNode): string | undefined {
  const ready = readyOf(node);
  if (ready === undefined) return 'the operator has not looked at it yet; is it running?';
  if (isStale(node)) return 'the operator has not seen the newest change yet';
  return ready.status === 'True' ? undefined : ready.message || ready.reason;
}

/** Whether status is about an older spec than there is. */
export const isStale = ({ metadata, status }: NixNode): boolean =>
  metadata.generation !== undefined && (status?.observedGeneration ?? 0) < metadata.generation;

/** Which step's log tells more about a reason, by the name that `firn logs` knows it by. */
const logOf: Record<string, string> = {
  BuildFailed: 'build',
  BuildInterrupted: 'build',
  EvaluationFailed: 'build',
  NixpkgsUnresolved: 'resolve',
  ActivationFailed: 'activate',
  ActivationTimedOut: 'activate',
  UnitsFailed: 'activate',
  FilesFailed: 'activate',
  NotConfirmed: 'activate',
  HostRestarted: 'activate',
  ResetFailed: 'reset',
};

/** Commands that help now, most useful first; none for a node that is ready. */
export function advice(node: NixNode): string[] {
  const { name, namespace } = node.metadata;
  const where = namespace === undefined ? '' : ` -n ${namespace}`;
  const ready = readyOf(node);
  if (ready === undefined || ready.status === 'True') return [];
  const { bad = [], trial } = node.status ?? {};
  const reasons = [ready.reason, trial?.reason, ...bad.map(({ reason }) => reason)];
  const steps = reasons.flatMap((reason) => (reason && Object.hasOwn(logOf, reason) ? [logOf[reason]!] : []));
  return [
    ...[...new Set(steps)].map((step) => `firn logs ${name} ${step}${where}   (what the host printed)`),
    ...(bad.length > 0 || ready.reason === 'BootedOther'
      ? [`firn resume ${name}${where}   (tries again what was taken back, after the cause is gone)`]
      : []),
  ];
}

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

/** Commands that help now, most useful first. */
export function advice(node: NixNode): string[] {
  const { name, namespace } = node.metadata;
  const where = namespace === undefined ? name : `${name} -n ${namespace}`;
  const ready = readyOf(node);
  const bad = node.status?.bad ?? [];
  const reasons = [ready?.reason, node.status?.trial?.reason, ...bad.map(({ reason }) => reason)];
  const logs = new Set(
    reasons.flatMap((reason) => (reason && Object.hasOwn(logOf, reason) ? [logOf[reason]!] : [])),
  );
  const desired = node.status?.release?.desired;
  const blocked = bad.length > 0 && desired !== node.status?.release?.confirmed;
  return [
    ...[...logs].map((log) => `firn logs ${where.replace(name, `${name} ${log}`)}   (what the host printed)`),
    ...(blocked || ready?.reason === 'BootedOther'
      ? [`firn resume ${where}   (tries again what was taken back, after the cause is gone)`]
      : []),
  ];
}

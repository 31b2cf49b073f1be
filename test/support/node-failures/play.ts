/** One way to fail, from its cause to what kubectl shows of it, and to its repair. */
import type { NixNode } from '../../../crds/index.ts';
import type { TestCluster } from '../cluster.ts';
import { waitForEvent } from '../events.ts';
import { apply, conditionOf, isReady, nodeManifest, waitForNode } from '../fleet.ts';
import { dishonesties } from '../honest-status.ts';
import type { ScriptedHost, ScriptedOptions } from '../ssh-server/scripted-hosts.ts';

export type Stage = {
  row: FailureRow;
  /** Of the NixNode; what belongs to a row has it in its own name. */
  name: string;
  host: ScriptedHost;
  cluster: TestCluster;
  /** Lets root in. */
  privateKey: string;
};

type Script = ReturnType<NonNullable<ScriptedOptions['script']>>;

export type FailureRow = {
  what: string;
  reason: string;
  condition: 'Reachable' | 'Rendered' | 'Built' | 'Applied' | 'Healthy';
  /** `Stalled`: nothing helps but a change. `Reconciling`: it is tried again, or waited for. */
  kind: 'Stalled' | 'Reconciling';
  /** Of the event, where it is not a warning. */
  event?: 'Normal';
  /** What was seen, and what to do. */
  says: RegExp[];
  script?: Script;
  /** Beside the node, applied with it. */
  objects?: (stage: Stage) => object[];
  spec?: (stage: Stage) => object;
  /** Of a node that was Ready before. */
  after?: (stage: Stage) => unknown;
  /** Takes the cause away; the node must become Ready by itself. */
  repair?: (stage: Stage) => unknown;
  /** More that must be true when it has failed. */
  besides?: (stage: Stage, node: NixNode) => unknown;
};

const failMs = 60_000;
/** A stalled node is looked at every half minute. */
const repairMs = 60_000;

export function manifestOf(stage: Stage, changes: object = {}, annotations: object = {}): object {
  const node = nodeManifest(stage.name, stage.host) as { metadata: object; spec: { ssh: object } };
  const { ssh, ...rest } = { ...stage.row.spec?.(stage), ...changes } as { ssh?: object };
  return {
    ...node,
    metadata: { ...node.metadata, annotations },
    spec: { ...node.spec, ...rest, ssh: { ...node.spec.ssh, ...ssh } },
  };
}

export async function playRow(stage: Stage): Promise<void> {
  const { row, cluster, name } = stage;
  const ready = () => waitForNode(cluster, name, 'Ready', isReady, failMs);
  if (row.after) {
    await ready();
    await row.after(stage);
  }
  const failed = (node: NixNode) => conditionOf(node, 'Ready')?.reason === row.reason;
  const node = await waitForNode(cluster, name, row.reason, failed, failMs);
  expectToldWell(row, node);
  await row.besides?.(stage, node);
  if (row.repair) {
    await row.repair(stage);
    await waitForNode(cluster, name, 'Ready again', isReady, repairMs);
  }
  // Events come a little later than what they are about, and they stay.
  const { type, note } = await waitForEvent(cluster, name, row.reason);
  expect(note).toMatch(row.says[0]!);
  // Somebody has to do something, in every row but in those that name another type.
  expect(type).toBe(row.event ?? 'Warning');
}

function expectToldWell(row: FailureRow, node: NixNode): void {
  const ready = conditionOf(node, 'Ready');
  const { reason, condition, kind } = row;
  expect(conditionOf(node, condition)).toMatchObject({ status: 'False', reason, message: ready?.message });
  expect(ready).toMatchObject({ status: 'False', reason });
  for (const words of row.says) expect(ready?.message).toMatch(words);
  expect(conditionOf(node, 'Stalled')?.status).toBe(kind === 'Stalled' ? 'True' : 'False');
  expect(conditionOf(node, 'Reconciling')?.status).toBe(kind === 'Reconciling' ? 'True' : 'False');
  expect(node.status?.summary).toBe(reason);
  expect(dishonesties(node)).toEqual([]);
}

export const change = (stage: Stage, changes: object, annotations: object = {}): Promise<void> =>
  apply(stage.cluster, manifestOf(stage, changes, annotations));

/**
 * Every way in which a node fails has a reason of its own and says what to do; and when the cause is gone, it goes on by
 * itself. All rows are played at once, each on a host of its own.
 */
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { installFirn, type RunningFirn, startFirn } from '../support/firn.ts';
import { apply, sshKeySecret } from '../support/fleet.ts';
import { manifestOf, playRow, type Stage } from '../support/node-failures/play.ts';
import { type FailureRow, failureRows } from '../support/node-failures/rows.ts';
import { type ScriptedFleet, startScriptedHosts } from '../support/ssh-server/scripted-hosts.ts';

let cluster: TestCluster;
let operator: RunningFirn;
let fleet: ScriptedFleet;
const played = new Map<FailureRow, Promise<void>>();

beforeAll(async () => {
  cluster = await startTestCluster();
  await installFirn(cluster);
  operator = await startFirn(cluster);
  fleet = await startScriptedHosts({
    count: failureRows.length,
    script: (index) => failureRows[index]!.script ?? {},
  });
  const stages = failureRows.map((row, index): Stage => {
    const name = `node-${index}`;
    return { row, name, host: fleet.hosts[index]!, cluster, privateKey: fleet.privateKey };
  });
  const objects = stages.flatMap((stage) => [...(stage.row.objects?.(stage) ?? []), manifestOf(stage)]);
  await apply(cluster, sshKeySecret(fleet.privateKey), ...objects);
  for (const stage of stages) {
    const playing = playRow(stage);
    // It is for the test of the row to fail with it.
    playing.catch(() => {});
    played.set(stage.row, playing);
  }
}, 120_000);

afterAll(async () => {
  await Promise.allSettled(played.values());
  await operator?.stop();
  await fleet?.close();
  await cluster?.stop();
}, 180_000);

test.each(failureRows.map((row) => [`${row.reason}: ${row.what}`, row] as const))('%s', (_, row) =>
  played.get(row),
);

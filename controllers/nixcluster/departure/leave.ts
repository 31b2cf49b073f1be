/** Takes nodes whose NixNodes are being deleted out of the cluster, one short step a visit. */
import type { ClusterNode, NixNode } from '../../../crds/index.ts';
import { timestamp } from '../../lib/core/timestamp.ts';
import { type Api, deleteNode, emptyNode } from '../rollout/empty-node.ts';
import { drainingMs, drainPolicyOf, type RollOutWork, unlessSilent } from '../rollout/roll.ts';
import { departureOf, hasToDrain, type Leaver } from './plan.ts';

export type Leaving = { nodes: ClusterNode[]; recheckMs: number | undefined; gone: string[] };

const isLeaving = ({ metadata }: NixNode): boolean => metadata.deletionTimestamp !== undefined;

/** `gone`: whose Nodes were deleted just now. */
export async function letLeave({ cluster, members, nodes, api, now }: RollOutWork): Promise<Leaving> {
  const staying = members.filter((node) => !isLeaving(node));
  const result: Leaving = { nodes: [], recheckMs: undefined, gone: [] };
  for (const place of nodes) {
    const node = members.find(({ metadata }) => metadata.name === place.name);
    if (!node || !isLeaving(node)) {
      const { departure: _, ...rest } = place;
      result.nodes.push(rest);
      continue;
    }
    const about = { cluster, node, place, staying, api: api !== null, at: timestamp(now), now };
    const departure = await step(about, api, result.gone);
    if (departure.stage === 'Draining' && !departure.guarded) result.recheckMs = drainingMs;
    result.nodes.push({ ...place, departure });
  }
  return result;
}

async function step(about: Omit<Leaver, 'emptied'>, api: Api | null, gone: string[]) {
  const { place, cluster } = about;
  const { name } = place;
  const first = departureOf({ ...about, emptied: undefined });
  const drains = first.departure.stage === 'Draining' && !first.departure.guarded && hasToDrain(about);
  const emptied = drains && api ? await unlessSilent(emptyNode(name, drainPolicyOf(cluster), api)) : null;
  const next = emptied ? departureOf({ ...about, emptied }) : first;
  if (next.do !== 'delete' || !api) return next.departure;
  if ((await unlessSilent(deleteNode(name, api).then(() => true))) === null) return next.departure;
  gone.push(name);
  return { ...next.departure, stage: 'NodeDeleted' as const };
}

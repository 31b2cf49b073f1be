/** A Node of a target cluster, as far as it is read. Whoever runs a kubelet there writes it: nothing of it is believed unseen. */
import { z } from 'zod';
import type { KubeObject, ResourceKind } from '../../crds/resource.ts';
import { clip } from '../lib/core/clip.ts';

const taint = z.looseObject({
  key: z.string().max(512),
  value: z.string().max(512).default(''),
  effect: z.string().max(64),
});
export type Taint = z.output<typeof taint>;

const condition = z.object({
  type: z.string(),
  status: z.string(),
  reason: z.string().default(''),
  message: z.string().default(''),
});

const node = z.object({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.object({
    name: z.string().max(253),
    uid: z.string().max(64),
    resourceVersion: z.string().max(64),
    deletionTimestamp: z.string().max(64).optional(),
    labels: z.record(z.string(), z.string()).default({}),
  }),
  spec: z
    .object({
      podCIDRs: z.array(z.string().max(64)).max(16).default([]),
      unschedulable: z.boolean().default(false),
      taints: z.array(taint).max(1024).default([]),
    })
    .prefault({}),
  status: z
    .object({
      conditions: z.array(condition).max(256).default([]),
      nodeInfo: z.object({ kubeletVersion: z.string().default('') }).optional(),
    })
    .prefault({}),
});

export type TargetNode = Omit<z.output<typeof node>, 'metadata'> &
  KubeObject & { metadata: { labels: Record<string, string> } };

export const TargetNodeKind: ResourceKind<TargetNode> = {
  group: '',
  version: 'v1',
  kind: 'Node',
  plural: 'nodes',
  namespaced: false,
  parse(raw) {
    const parsed = node.safeParse(raw);
    if (parsed.success) return parsed.data as TargetNode;
    const [issue] = parsed.error.issues;
    throw new Error(`${clip(issue?.path.join('.') ?? '', 200)} is not as Kubernetes has it`);
  },
};

export const readyOf = ({ status }: TargetNode) => status.conditions.find(({ type }) => type === 'Ready');

/** What of a Node matters to its cluster. Heartbeats do not. */
export function aboutNode(node: TargetNode): unknown {
  const { metadata, spec, status } = node;
  return [
    metadata.uid,
    metadata.deletionTimestamp,
    metadata.labels,
    spec,
    readyOf(node),
    status.nodeInfo?.kubeletVersion,
  ];
}

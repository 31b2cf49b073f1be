/** What the hosts say of a frontend, gathered by the clusterfrontend controller. */
import { z } from 'zod';
import { conditions, count } from './common.ts';
import { mapList } from './rules.ts';

const node = z.object({
  name: z.string().max(253).describe('Name of the NixNode.'),
  serves: z.boolean().describe('Whether its HAProxy has the frontend, as the host last said.'),
  servers: count().describe('Pods that its HAProxy knows of.'),
  up: count().describe('Those of them that answer its health checks.'),
});
export type FrontendNode = z.output<typeof node>;

export const clusterFrontendStatus = z
  .object({
    observedGeneration: count().optional().describe('The generation of the spec that the status is about.'),
    conditions: conditions().optional().describe('What holds and what does not, and why.'),
    summary: z.string().max(128).optional().describe('In a word or two, how the frontend is.'),
    bind: z.string().max(1024).optional().describe('Where it listens.'),
    nodes: mapList(node, 'name', 1000).optional().describe('The nodes that are to serve it.'),
    serving: z.string().max(32).optional().describe('Nodes that serve it, of how many.'),
    servers: z
      .string()
      .max(32)
      .optional()
      .describe('Pods that answer, of how many, on the node that sees the fewest.'),
  })
  .describe('What is true of the frontend; written by Firn.');

export type ClusterFrontendStatus = z.output<typeof clusterFrontendStatus>;

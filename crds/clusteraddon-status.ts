/** What the clusteraddon controller applied, and how that is. */
import { z } from 'zod';
import { conditions, count, integer } from './common.ts';
import { atomicList } from './rules.ts';

/** As many objects as one addon may have: so the inventory stays far below what etcd takes in one object. */
export const maxObjects = 500;

const place = {
  group: z.string().max(253).describe('API group; empty for the core group.'),
  version: z.string().max(63).describe('The version that it was applied in.'),
  kind: z.string().max(63).describe('Its kind.'),
  namespace: z.string().max(253).optional().describe('Its namespace; absent where its kind has none.'),
  name: z.string().max(253).describe('Its name.'),
};

const applied = z.object(place);
export type AppliedObject = z.output<typeof applied>;

const troubled = z.object({
  object: z.string().max(512).describe('Which object.'),
  state: z
    .enum(['Failed', 'Terminating', 'InProgress'])
    .describe('`Failed`: somebody has to do something; `InProgress`: it is on its way.'),
  message: z.string().max(1024).describe('What was seen.'),
});
export type TroubledObject = z.output<typeof troubled>;

export const clusterAddonStatus = z
  .object({
    observedGeneration: count().optional().describe('The generation of the spec that the status is about.'),
    conditions: conditions().optional().describe('What holds and what does not, and why.'),
    summary: z.string().max(128).optional().describe('In a word or two, how it is.'),
    objects: z.string().max(32).optional().describe('Objects that are as they should be, of how many.'),
    health: z
      .object({
        current: integer(0, maxObjects).describe('They are as they should be.'),
        inProgress: integer(0, maxObjects).describe('They are on their way.'),
        failed: integer(0, maxObjects).describe('They do not get further by themselves.'),
        terminating: integer(0, maxObjects).describe('They are being deleted.'),
      })
      .optional()
      .describe('How many objects are in which state.'),
    troubled: atomicList(troubled, 10).optional().describe('The first few that are not as they should be.'),
    inventory: atomicList(applied, 2 * maxObjects)
      .optional()
      .describe('What was applied, or is about to be: what leaves the manifests is looked for here.'),
  })
  .describe('What is true of the addon; written by Firn.');

export type ClusterAddonStatus = z.output<typeof clusterAddonStatus>;

/**
 * What the wireguardmesh controller found: every node's public keys, which generation of them is in use, and how the
 * pairs are. Everything is optional: nothing is known of a new mesh. It holds a thousand nodes in less than a MiB.
 */
import { z } from 'zod';
import { conditions, count, integer, timestamp } from './common.ts';
import { atomicList, mapList } from './rules.ts';
import { wireguardKey } from './wireguard-key.ts';

const name = () => z.string().max(52);
const epoch = () => integer(1, 2_147_483_646);
const state = z.enum(['Connected', 'Waiting', 'Down']);

const node = z.object({
  name: name().describe('Name of the NixNode.'),
  endpoint: z
    .string()
    .max(262)
    .optional()
    .describe('Where others dial it, `host:port`; keys of even epochs are served at the next port.'),
  behindNAT: z.boolean().optional().describe('It dials, and is never dialled.'),
  addresses: atomicList(z.string().max(45), 2).describe('Its addresses inside of the mesh.'),
  allowedIPs: atomicList(z.string().max(49), 2).describe('The networks behind it: those of its pods.'),
  keys: atomicList(z.object({ epoch: epoch(), publicKey: wireguardKey() }), 4).describe(
    'Its public keys, as the host says; the private ones never leave it.',
  ),
});

const rotation = z.object({
  stage: z
    .enum(['Prepare', 'Move', 'Retire'])
    .describe(
      '`Prepare`: new keys are made, and every pair shakes hands with them. `Move`: traffic goes over to them. `Retire`: the old keys go.',
    ),
  epoch: epoch().describe('The epoch of the new keys.'),
  startedAt: timestamp().describe('When it started.'),
  request: z.string().max(256).optional().describe('The request that it answers; absent: it was due.'),
  shakenAt: timestamp().optional().describe('In `Prepare`: since when every pair has shaken hands.'),
  waitsFor: z.string().max(1024).optional().describe('Whom the stage waits for.'),
});

const pair = z.object({
  a: name().describe('One node.'),
  b: name().describe('The other.'),
  state: state.describe('`Waiting`: no handshake yet. `Down`: none for three minutes.'),
  lastHandshake: timestamp().optional().describe('The newest that one of them reports.'),
  receivedBytes: count().describe('What `a` received from `b`.'),
  sentBytes: count().describe('What `a` sent to `b`.'),
});

const down = z.object({
  a: name().describe('One node.'),
  b: name().describe('The other.'),
  lastHandshake: timestamp().optional().describe('When they last shook hands.'),
  lookAt: z.string().max(512).describe('What to look at.'),
});

export const wireguardMeshStatus = z
  .object({
    observedGeneration: count().optional().describe('The generation of the spec that the status is about.'),
    conditions: conditions().optional().describe('What holds and what does not, and why.'),
    summary: z.string().max(128).optional().describe('In a word or two, how the mesh is.'),
    epoch: epoch().optional().describe('The generation of keys that all nodes have; each rotation adds one.'),
    rotation: rotation.optional().describe('The rotation that is under way.'),
    rotatedAt: timestamp().optional().describe('When the keys in use were first used by all.'),
    request: z
      .string()
      .max(256)
      .optional()
      .describe('The value of `spec.keyRotation.request` that was acted upon.'),
    nodes: mapList(node, 'name', 1000).optional().describe('The nodes of the mesh.'),
    secretName: z
      .string()
      .max(253)
      .optional()
      .describe('The Secret from which preshared keys are derived. Never made anew.'),
    size: count().optional().describe('How many nodes there are.'),
    connected: z
      .string()
      .max(32)
      .optional()
      .describe('How many nodes have a tunnel to each of their peers, of how many.'),
    pairs: atomicList(pair, 64)
      .optional()
      .describe(
        'Pairs of nodes, the worst first; written anew when a state changes, else every ten minutes.',
      ),
    pairsAt: timestamp().optional().describe('When `pairs` were written.'),
    down: atomicList(down, 32).optional().describe('Pairs without a tunnel, and what to look at.'),
  })
  .describe('What is true of the mesh; written by Firn.');

export type WireguardMeshStatus = z.output<typeof wireguardMeshStatus>;
export type MeshNode = NonNullable<WireguardMeshStatus['nodes']>[number];
export type Rotation = NonNullable<WireguardMeshStatus['rotation']>;
export type MeshPair = NonNullable<WireguardMeshStatus['pairs']>[number];

/**
 * Every interleaving of a rotation of the encryption key: hosts plan, take up and tell of a stage, write, and are told to
 * write all anew, whenever they like. Whatever is in the datastore can be read by every host, at any time.
 */
import { randomBytes } from 'node:crypto';
import {
  createEncryptionKey,
  type EncryptionState,
} from '../../../controllers/clusterpki/encryption-secret.ts';
import { expectedEncryption } from '../../../controllers/clusterpki/keys.ts';
import { encryptionMachine, nextStage } from '../../../controllers/clusterpki/machine.ts';
import type { Member } from '../../../controllers/clusterpki/members.ts';
import { idleRecord } from '../../../controllers/clusterpki/record.ts';
import { encryptionGate } from '../../../controllers/clusterpki/rotate.ts';
import { encryptionAt } from '../../../controllers/clusterpki/rotation.ts';

const [first, ...later] = Array.from({ length: 3 }, () => createEncryptionKey(randomBytes));

/** Fingerprints tell contents apart; the names of keys, of which the first one writes, say what a host can do. */
type Content = { fingerprint: string; keys: string[] };
type Host = { plans: Content; has: Content; says: string };
type World = {
  state: EncryptionState;
  request: number;
  abort: string | undefined;
  hosts: Host[];
  data: string[];
};

const contentOf = (state: EncryptionState): Content => ({
  fingerprint: expectedEncryption(state).encryption!,
  keys: state.keys.map(({ name }) => name),
});
const requestOf = ({ request }: World) => (request === 0 ? undefined : String(request));

function step(world: World): World | null {
  const { state, hosts, data } = world;
  const members = hosts.map(({ says }, at): Member => {
    const origins = { encryption: says };
    return { name: `node${at}`, roles: ['control-plane'], observed: true, confirmed: true, origins };
  });
  const done = data.every((name) => name === state.keys[0]!.name);
  const rewritten = done ? { open: true as const } : { open: false as const, waitsFor: 'data' };
  const gate = encryptionGate(state, members, { rewritten });
  const next = nextStage(
    encryptionMachine,
    state.record,
    { request: requestOf(world), abort: world.abort },
    gate,
  );
  if (!('to' in next)) return null;
  const newer = later[Number(next.request) - 1] ?? null;
  return {
    ...world,
    state: encryptionAt(state, { request: next.request, stage: next.to, startedAt: '' }, newer),
  };
}

function* after(world: World): Generator<World> {
  const { hosts, data, request, abort } = world;
  const content = contentOf(world.state);
  const moved = step(world);
  if (moved) yield moved;
  for (const [at, host] of hosts.entries()) {
    const put = (changed: Partial<Host>) => ({ ...world, hosts: hosts.with(at, { ...host, ...changed }) });
    yield put({ plans: content });
    yield put({ has: host.plans });
    yield put({ says: host.has.fingerprint });
    const writes = host.has.keys[0]!;
    yield { ...world, data: [...new Set([...data, writes])].sort() };
    // Rewriting goes through any API server, and writes as that one does.
    yield { ...world, data: [writes] };
  }
  if (request < later.length) yield { ...world, request: request + 1 };
  if (request > 0 && abort !== requestOf(world)) yield { ...world, abort: requestOf(world) };
}

const keyOf = ({ state, request, abort, hosts, data }: World): string =>
  JSON.stringify([
    state.record.stage,
    contentOf(state).fingerprint,
    state.record.request,
    request,
    abort,
    hosts.map(({ plans, has, says }) => `${plans.fingerprint} ${has.fingerprint} ${says}`).sort(),
    data,
  ]);

function explore(count: number): { worlds: number; reached: Set<string> } {
  const state: EncryptionState = { keys: [first!], record: idleRecord(undefined, '') };
  const content = contentOf(state);
  const host = { plans: content, has: content, says: content.fingerprint };
  const start: World = {
    state,
    request: 0,
    abort: undefined,
    hosts: Array(count).fill(host),
    data: [first!.name],
  };
  const seen = new Set([keyOf(start)]);
  const reached = new Set<string>();
  const queue = [start];
  for (let world = queue.pop(); world; world = queue.pop()) {
    reached.add(world.state.record.stage);
    for (const { has } of world.hosts)
      for (const name of world.data)
        if (!has.keys.includes(name))
          throw new Error(`in ${world.state.record.stage} a host cannot read what is there`);
    for (const next of after(world)) {
      const key = keyOf(next);
      if (seen.has(key)) continue;
      seen.add(key);
      queue.push(next);
    }
  }
  return { worlds: seen.size, reached };
}

test.each([1, 2, 3])('%i API servers: two rotations with aborts at any time', (count) => {
  const { worlds, reached } = explore(count);
  expect(worlds).toBeGreaterThan(200);
  expect([...reached].sort()).toEqual(['Abort', 'Add', 'Idle', 'Promote', 'Remove', 'Rewrite']);
});

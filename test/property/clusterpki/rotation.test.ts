/**
 * Every interleaving of a rotation: hosts plan, take up and tell of a stage whenever they like, pods start whenever they
 * like and keep what they loaded, requests and aborts come at any time. Whatever is shown anywhere is trusted everywhere.
 */
import { randomBytes } from 'node:crypto';
import { expectedOf } from '../../../controllers/clusterpki/authorities.ts';
import { type AuthorityState, trustOf } from '../../../controllers/clusterpki/authority-secret.ts';
import { nextStage, trustMachine } from '../../../controllers/clusterpki/machine.ts';
import type { Member } from '../../../controllers/clusterpki/members.ts';
import { idleRecord } from '../../../controllers/clusterpki/record.ts';
import { authorityGate } from '../../../controllers/clusterpki/rotate.ts';
import { authorityAt } from '../../../controllers/clusterpki/rotation.ts';
import { type Authority, createAuthority } from '../../../controllers/lib/pki/authority.ts';
import { crossSign } from '../../../controllers/lib/pki/cross-sign.ts';
import { splitPem } from '../../../controllers/lib/pki/pem.ts';
import { inspectCertificate } from '../../support/inspect-certificate.ts';

const issuance = { now: Date.now(), random: randomBytes };
const root = (commonName: string, pathLength?: number) =>
  createAuthority(
    {
      commonName,
      algorithm: 'ECDSA-P256',
      lifetimeMs: 86_400_000,
      ...(pathLength !== undefined && { pathLength }),
    },
    issuance,
  );

/** What a host has at some stage: whose leaf it shows, who vouches for that in its chain, and whom it trusts. */
type Content = { signer: string; vouchers: string[]; trust: string[] };
/** A release that is on its way, what runs, and what was last heard of it. */
type Host = { plans: number; has: number; says: number };
type World = {
  /** Index of a state. */
  state: number;
  /** Requests so far; each is a number. */
  request: number;
  abort: string | undefined;
  /** Of indexes of contents. */
  hosts: Host[];
  /** What they loaded when they started. */
  pods: number[];
};

/** Who takes over, by the number of the request and the name of who signs. */
type Ground = { first: Authority; later: Map<string, Authority> };

/** The first request is answered with B, the second with C. `pathLength` 0: A and B may not vouch for anybody. */
async function ground(pathLength?: number): Promise<Ground> {
  const [a, b, c] = [await root('A', pathLength), await root('B', pathLength), await root('C')];
  const later = new Map<string, Authority>();
  for (const [request, older, newer] of [
    ['1', a, b],
    ['2', a, c],
    ['2', b, c],
  ] as const) {
    const vouched = await crossSign(newer, older, issuance);
    expect(vouched === null).toBe(pathLength === 0);
    later.set(`${request} ${nameOf(older.certificate)}`, { ...newer, chain: vouched ?? '' });
  }
  return { first: a, later };
}

const nameOf = memo((pem: string) => inspectCertificate(pem).commonName);
const issuerOf = memo((pem: string) => inspectCertificate(pem).issuerCommonName);

function memo<A, B>(work: (from: A) => B): (from: A) => B {
  const known = new Map<A, B>();
  return (from) => {
    if (!known.has(from)) known.set(from, work(from));
    return known.get(from)!;
  };
}

/** As RFC 5280 builds a path: to the signer itself, or over what is served behind the leaf. */
const trusts = (content: Content, trust: readonly string[]): boolean =>
  trust.includes(content.signer) || content.vouchers.some((name) => trust.includes(name));

/** Numbers states and contents, each once. */
function catalogue() {
  const states: { state: AuthorityState; content: number }[] = [];
  const contents: Content[] = [];
  const ids = new Map<string, number>();
  const numbered = <T>(list: T[], key: unknown, make: () => T): number => {
    const text = JSON.stringify(key);
    const known = ids.get(text);
    if (known !== undefined) return known;
    ids.set(text, list.push(make()) - 1);
    return list.length - 1;
  };
  const shown = (state: AuthorityState): Content => ({
    signer: nameOf(state.signer.certificate),
    vouchers: splitPem(state.signer.chain).map(issuerOf),
    trust: trustOf(state).map(nameOf),
  });
  const add = (state: AuthorityState): number => {
    const { signer, next, previous, record } = state;
    const brief = (one: Authority | null) => one && [nameOf(one.certificate), one.chain.length];
    const key = [record.stage, record.request, brief(signer), brief(next), brief(previous)];
    return numbered(states, key, () => {
      const content = shown(state);
      return { state, content: numbered(contents, content, () => content) };
    });
  };
  return { states, contents, add };
}

type Catalogue = ReturnType<typeof catalogue>;

/** The controller, by its own functions: the number of the state that follows, if one does. */
function controller({ states, contents, add }: Catalogue, { later }: Ground) {
  return (world: World): number | null => {
    const { state, content } = states[world.state]!;
    const expected = expectedOf({ name: 'cluster', state });
    const members = world.hosts.map((host, at): Member => {
      const origins = host.says === content ? expected : {};
      return { name: `node${at}`, roles: ['worker'], observed: true, confirmed: true, origins };
    });
    const incoming = nameOf((state.next ?? state.signer).certificate);
    const restarted = world.pods.every((pod) => contents[pod]!.trust.includes(incoming));
    const podsRestarted = restarted ? { open: true as const } : { open: false as const, waitsFor: 'pods' };
    const gate = authorityGate({ name: 'cluster', state }, members, { podsRestarted });
    const asked = { request: requestOf(world), abort: world.abort };
    const next = nextStage(trustMachine, state.record, asked, gate);
    if (!('to' in next)) return null;
    const newer = later.get(`${next.request} ${nameOf(state.signer.certificate)}`) ?? null;
    return add(authorityAt(state, { request: next.request, stage: next.to, startedAt: '' }, newer));
  };
}

const requestOf = ({ request }: World) => (request === 0 ? undefined : String(request));
const textOf = ({ plans, has, says }: Host) => `${plans}.${has}.${says}`;
/** Hosts are alike, and so are pods. */
const keyOf = ({ state, request, abort, hosts, pods }: World) =>
  [state, request, abort, hosts.map(textOf).sort(), '|', pods.toSorted()].join();

function* after(
  world: World,
  { states }: Catalogue,
  step: (world: World) => number | null,
): Generator<World> {
  const { request, abort, hosts, pods } = world;
  const { content } = states[world.state]!;
  const moved = step(world);
  if (moved !== null) yield { ...world, state: moved };
  for (const [at, { plans, has, says }] of hosts.entries()) {
    if (plans !== content) yield { ...world, hosts: hosts.with(at, { plans: content, has, says }) };
    if (has !== plans) yield { ...world, hosts: hosts.with(at, { plans, has: plans, says }) };
    if (says !== has) yield { ...world, hosts: hosts.with(at, { plans, has, says: has }) };
  }
  for (const at of pods.keys())
    for (const { has } of hosts) if (pods[at] !== has) yield { ...world, pods: pods.with(at, has) };
  if (request < 2) yield { ...world, request: request + 1 };
  if (request > 0 && abort !== requestOf(world)) yield { ...world, abort: requestOf(world) };
}

function explore(from: Ground, hosts: number, pods: number) {
  const all = catalogue();
  const idle = { signer: from.first, next: null, previous: null, record: idleRecord(undefined, '') };
  const state = all.add(idle);
  const decide = controller(all, from);
  const moves = new Map<string, number | null>();
  /** Of hosts and pods the decision sees only who is behind, so worlds that agree in that need not be decided twice. */
  const step = (world: World): number | null => {
    const { state, content } = all.states[world.state]!;
    const incoming = nameOf((state.next ?? state.signer).certificate);
    const behind = world.hosts.filter(({ says }) => says !== content).length;
    const old = world.pods.filter((pod) => !all.contents[pod]!.trust.includes(incoming)).length;
    const key = [world.state, world.request, world.abort, behind, old].join();
    if (!moves.has(key)) moves.set(key, decide(world));
    return moves.get(key)!;
  };
  const start: World = {
    state,
    request: 0,
    abort: undefined,
    hosts: Array(hosts).fill({ plans: 0, has: 0, says: 0 }),
    pods: Array(pods).fill(0),
  };
  const seen = new Set([keyOf(start)]);
  const reached = new Set<string>();
  const queue = [start];
  for (let world = queue.pop(); world; world = queue.pop()) {
    const { state } = all.states[world.state]!;
    reached.add(`${state.record.stage} ${nameOf(state.signer.certificate)}`);
    assertTrust(world, all.contents);
    for (const next of after(world, all, step)) {
      const key = keyOf(next);
      if (seen.has(key)) continue;
      seen.add(key);
      queue.push(next);
    }
  }
  return { worlds: seen.size, reached };
}

function assertTrust({ hosts, pods }: World, contents: readonly Content[]): void {
  const all = new Set(hosts.map(({ has }) => has));
  for (const shows of all)
    for (const sees of new Set([...all, ...pods]))
      if (!trusts(contents[shows]!, contents[sees]!.trust))
        throw new Error(
          `${JSON.stringify(contents[sees])} does not trust ${JSON.stringify(contents[shows])}`,
        );
}

describe.each([
  ['the former authority vouches for the new one', undefined],
  ['it cannot, and pods are started anew before the new one signs', 0],
])('%s', (_, pathLength) => {
  test.each([
    [1, 2],
    [3, 1],
    [4, 0],
  ])('%i hosts, %i pods: two rotations with aborts at any time', async (hosts, pods) => {
    const { worlds, reached } = explore(await ground(pathLength), hosts, pods);
    expect(worlds).toBeGreaterThan(200);
    // All stages were gone through, and back.
    for (const at of [
      'Distribute A',
      'Reissue B',
      'Retire B',
      'Abort A',
      'Idle A',
      'Idle B',
      'Retire C',
      'Idle C',
    ])
      expect(reached).toContain(at);
  });
});

test('the model notices what must not be: a new one signs before pods know it, and nobody vouches', async () => {
  const from = await ground(0);
  const newer = from.later.get('1 A')!;
  const { contents, states, add } = catalogue();
  let state: AuthorityState = {
    signer: from.first,
    next: null,
    previous: null,
    record: idleRecord(undefined, ''),
  };
  const ids = [add(state)];
  for (const stage of ['Distribute', 'Reissue'] as const) {
    state = authorityAt(state, { request: '1', stage, startedAt: '' }, newer);
    ids.push(add(state));
  }
  const [before, , after] = ids.map((id) => states[id]!.content);
  const world = {
    state: 0,
    request: 1,
    abort: undefined,
    hosts: [{ plans: after!, has: after!, says: after! }],
    pods: [before!],
  };
  expect(() => assertTrust(world, contents)).toThrow('does not trust');
});

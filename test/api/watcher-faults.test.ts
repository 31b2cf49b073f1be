import type { Clock } from '../../controllers/lib/core/clock.ts';
import { KubeClient } from '../../controllers/lib/kube/client.ts';
import { createLogger } from '../../controllers/lib/runtime/log.ts';
import { keyOf, Store } from '../../controllers/lib/runtime/store.ts';
import { Watcher } from '../../controllers/lib/runtime/watcher.ts';
import { eventually } from '../support/eventually.ts';
import { FaultApiserver } from '../support/fault-apiserver.ts';
import { type Probe, ProbeKind } from '../support/probe.ts';

/** Twenty times as fast as the world: what takes a second of backoff takes 50 ms of the test. */
const speed = 20;
const fastClock: Clock = {
  now: () => performance.now() * speed,
  after(ms, callback) {
    const timer = setTimeout(callback, ms / speed);
    return () => clearTimeout(timer);
  },
};

type Setup = {
  server: FaultApiserver;
  store: Store<Probe>;
  watcher: Watcher;
  log: string[];
  lost: () => number;
};
let cleanup: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const step of cleanup) await step();
  cleanup = [];
});

/** A watcher that follows a server with these objects. `prepare` scripts what its first requests meet. */
async function follow(
  objects: Record<string, string>,
  options: { prepare?: (server: FaultApiserver) => void; timeoutSeconds?: number } = {},
): Promise<Setup> {
  const server = new FaultApiserver({ speed });
  for (const [name, value] of Object.entries(objects)) server.put(name, value);
  options.prepare?.(server);
  await server.start();
  const client = new KubeClient(() => server.config(), fastClock);
  const store = new Store(ProbeKind);
  const log: string[] = [];
  let lost = 0;
  const watcher = new Watcher({
    client,
    kind: ProbeKind,
    holds: 'objects',
    namespace: undefined,
    clock: fastClock,
    random: () => 0.5,
    log: createLogger({ level: 'warn', destination: { write: (line) => void log.push(line) } }),
    onList(items, history) {
      if (history === 'lost') lost++;
      store.replace(items, undefined, history);
    },
    onEvent({ type, object }) {
      if (type === 'DELETED') store.remove(keyOf(object.metadata));
      else store.put(object);
    },
    timeoutSeconds: options.timeoutSeconds ?? 60,
  });
  const stop = new AbortController();
  const running = watcher.run(stop.signal);
  cleanup.push(async () => {
    stop.abort();
    await running;
    await client.close();
    await server.stop();
  });
  return { server, store, watcher, log, lost: () => lost };
}

const valuesOf = (store: Store<Probe>) =>
  Object.fromEntries(
    store.list('default').map(({ raw }) => [raw.metadata.name, (raw as unknown as Probe).spec.value]),
  );
const holds = (store: Store<Probe>, values: Record<string, string>) =>
  eventually(() => expect(valuesOf(store)).toEqual(values));
const watching = (watcher: Watcher) => eventually(() => expect(watcher.state).toBe('Watching'));
const sorts = (server: FaultApiserver) => server.requests.map(({ sort }) => sort);

test('it lists, then follows what is added, changed and deleted', async () => {
  const { server, store, watcher } = await follow({ a: '1', b: '1' });
  await watching(watcher);
  server.put('a', '2');
  server.put('c', '1');
  server.remove('b');
  await holds(store, { a: '2', c: '1' });
  expect(sorts(server)).toEqual(['list', 'watch']);
  expect(server.requests[1]!.query).toMatchObject({ allowWatchBookmarks: 'true', resourceVersion: '102' });
});

test('a list of many pages is one list of one moment', async () => {
  const objects = Object.fromEntries(Array.from({ length: 1_203 }, (_, i) => [`p${i}`, 'x']));
  const { server, store, watcher } = await follow(objects);
  await watching(watcher);
  expect(store.size).toBe(1_203);
  expect(sorts(server)).toEqual(['list', 'list', 'list', 'watch']);
});

test('503 on re-watch: it watches again from where it was, without a list', async () => {
  const { server, store, watcher } = await follow({ a: '1' }, { timeoutSeconds: 10 });
  await watching(watcher);
  server.faults.watch.push({ fault: 'refuse', status: 503 }, { fault: 'refuse', status: 503 });
  await eventually(() => expect(server.requests.length).toBeGreaterThanOrEqual(5));
  server.put('a', '2');
  await holds(store, { a: '2' });
  expect(sorts(server).filter((sort) => sort === 'list')).toHaveLength(1);
});

test('503 on the first list: nothing is synced until it succeeds', async () => {
  const refusal = { fault: 'refuse', status: 503 } as const;
  const { store, watcher } = await follow(
    { a: '1' },
    { prepare: (server) => server.faults.list.push(refusal, refusal, refusal) },
  );
  expect(watcher.state).toBe('Empty');
  await watching(watcher);
  await holds(store, { a: '1' });
});

test('429 with Retry-After: it is left alone for as long as it asks', async () => {
  const { server, watcher } = await follow(
    { a: '1' },
    { prepare: (it) => it.faults.list.push({ fault: 'refuse', status: 429, retryAfterSeconds: 8 }) },
  );
  await watching(watcher);
  const [first, second] = server.requests;
  expect((second!.at - first!.at) * speed).toBeGreaterThanOrEqual(8_000);
});

test('410 as an answer: it lists again, and knows what was deleted meanwhile', async () => {
  const { server, store, watcher } = await follow({ a: '1', b: '1' }, { timeoutSeconds: 6 });
  await watching(watcher);
  server.faults.watch.push({ fault: 'refuse', status: 503 });
  await eventually(() => expect(watcher.state).toBe('Listed'));
  server.remove('b');
  server.put('a', '2');
  server.compact();
  await holds(store, { a: '2' });
  await watching(watcher);
  expect(sorts(server).filter((sort) => sort === 'list').length).toBeGreaterThanOrEqual(2);
});

test('410 as an event: it lists again and keeps the old store until then', async () => {
  const { server, store, watcher } = await follow(
    { a: '1' },
    {
      prepare(it) {
        it.faults.watch.push({ fault: 'gone event' });
        it.faults.list.push({ fault: 'slow', ms: 0 }, { fault: 'slow', ms: 200 });
      },
    },
  );
  await eventually(() => expect(sorts(server)).toEqual(['list', 'watch', 'list']));
  expect(watcher.state).toBe('Listed');
  expect(valuesOf(store)).toEqual({ a: '1' });
  await watching(watcher);
});

test('410 in the middle of a list: the list begins anew', async () => {
  const objects = Object.fromEntries(Array.from({ length: 700 }, (_, i) => [`p${i}`, 'x']));
  const { server, store, watcher } = await follow(objects, {
    prepare: (it) => it.faults.list.push({ fault: 'slow', ms: 0 }, { fault: 'refuse', status: 410 }),
  });
  await watching(watcher);
  expect(store.size).toBe(700);
  expect(server.requests.map(({ query }) => query.continue !== undefined)).toEqual([
    false,
    true,
    false,
    true,
    false,
  ]);
});

test.each([
  ['not json {{{'],
  ['[]'],
  ['null'],
  ['{"type":"ADDED"}'],
  ['{"type":"NEWS","object":{"metadata":{"resourceVersion":"9"}}}'],
])(
  'a malformed line (%s): it is logged and leads to a list, since something may have been missed',
  async (text) => {
    const { server, store, watcher, log } = await follow(
      { a: '1' },
      { prepare: (it) => it.faults.watch.push({ fault: 'line', text }) },
    );
    await eventually(() => expect(sorts(server)).toEqual(['list', 'watch', 'list', 'watch']));
    await watching(watcher);
    await holds(store, { a: '1' });
    expect(JSON.parse(log[0]!)).toMatchObject({ relist: true, err: { name: 'MalformedLine' } });
    expect(log.join('')).not.toContain('{{{');
  },
);

test('a black-holed connection: the deadline notices, and what was missed is told', async () => {
  const { server, store, watcher, log } = await follow(
    { a: '1' },
    { timeoutSeconds: 2, prepare: (it) => it.faults.watch.push({ fault: 'black hole' }) },
  );
  await watching(watcher);
  server.put('a', '2');
  await holds(store, { a: '2' });
  expect(JSON.parse(log[0]!)).toMatchObject({ relist: false, err: { name: 'KubeError', reason: 'Stalled' } });
  expect(sorts(server)).toEqual(['list', 'watch', 'watch']);
});

test('a connection reset in the middle of a line: it watches again from where it was', async () => {
  const { server, store, watcher } = await follow(
    { a: '1' },
    { prepare: (it) => it.faults.watch.push({ fault: 'reset' }) },
  );
  await eventually(() => expect(sorts(server)).toEqual(['list', 'watch', 'watch']));
  await watching(watcher);
  server.put('a', '2');
  await holds(store, { a: '2' });
});

test('a slow list: waiting is all that happens', async () => {
  const { server, store, watcher } = await follow(
    { a: '1' },
    { prepare: (it) => it.faults.list.push({ fault: 'slow', ms: 400 }) },
  );
  await watching(watcher);
  expect(sorts(server)).toEqual(['list', 'watch']);
  expect(valuesOf(store)).toEqual({ a: '1' });
});

test('a bookmark moves the version on, so that a quiet kind does not run into 410', async () => {
  const { server, store, watcher } = await follow({ a: '1' }, { timeoutSeconds: 4 });
  await watching(watcher);
  server.age(1_000);
  server.bookmark();
  server.compact();
  await eventually(() =>
    expect(sorts(server).filter((sort) => sort === 'watch').length).toBeGreaterThanOrEqual(2),
  );
  server.put('a', '2');
  await holds(store, { a: '2' });
  expect(sorts(server).filter((sort) => sort === 'list')).toHaveLength(1);
});

test('watches that end at once: it is no loop without pause', async () => {
  const { server, watcher } = await follow(
    { a: '1' },
    {
      prepare: (it) =>
        it.faults.watch.push(...Array.from({ length: 3 }, () => ({ fault: 'end at once' }) as const)),
    },
  );
  await watching(watcher);
  await eventually(() => expect(sorts(server)).toEqual(['list', 'watch', 'watch', 'watch', 'watch']));
  const times = server.requests.map(({ at }) => at * speed);
  // 0.75 s, 1.5 s, 3 s with the jitter in the middle.
  expect(times[2]! - times[1]!).toBeGreaterThanOrEqual(700);
  expect(times[4]! - times[3]!).toBeGreaterThanOrEqual(2_900);
});

test('a server that is away for long: it is back with all that happened, by one watch', async () => {
  const { server, store, watcher } = await follow({ a: '1' });
  await watching(watcher);
  await server.stop();
  server.put('b', '1');
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(watcher.state).toBe('Listed');
  await server.start();
  await holds(store, { a: '1', b: '1' });
  expect(sorts(server).filter((sort) => sort === 'list')).toHaveLength(1);
});

test('a restored backup, whose versions are behind ours: what is there counts', async () => {
  const { server, store, watcher, lost } = await follow({ a: '2', b: '2' });
  await watching(watcher);
  server.restore({ a: '1' });
  await holds(store, { a: '1' });
  await watching(watcher);
  expect(lost()).toBe(1);
  server.put('a', '3');
  await holds(store, { a: '3' });
});

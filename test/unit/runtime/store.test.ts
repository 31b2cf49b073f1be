import type { Index } from '../../../controllers/lib/runtime/controller.ts';
import { Store } from '../../../controllers/lib/runtime/store.ts';
import { isNewer } from '../../../controllers/lib/runtime/version.ts';
import { type Probe, ProbeKind, probe } from '../../support/probe.ts';

const raw = (name: string, value: string, version: number, metadata: Partial<Probe['metadata']> = {}) =>
  probe(name, value, { resourceVersion: String(version), ...metadata }) as Probe & Record<string, unknown>;

const names = (entries: { raw: { metadata: { name: string } } }[]) =>
  entries.map((entry) => entry.raw.metadata.name);

test('what comes out is frozen to its depth', () => {
  const store = new Store(ProbeKind);
  store.put(raw('a', '1', 1));
  const { parsed } = store.get('default/a')!;
  if (!parsed.ok) throw new Error('did not parse');
  expect(() => {
    parsed.object.spec.value = '2';
  }).toThrow(TypeError);
  expect(() => {
    parsed.object.metadata.labels = {};
  }).toThrow(TypeError);
});

test('an object is parsed when it is looked at, and once', () => {
  let parses = 0;
  const counting = {
    ...ProbeKind,
    parse: (it: unknown) => {
      parses++;
      return ProbeKind.parse(it);
    },
  };
  const store = new Store(counting);
  store.put(raw('a', '1', 1));
  expect(parses).toBe(0);
  expect(store.get('default/a')!.parsed).toBe(store.get('default/a')!.parsed);
  expect(parses).toBe(1);
});

test('the event of a write that was already answered is no news', () => {
  const store = new Store(ProbeKind);
  store.put(raw('a', '1', 5));
  expect(store.observe(raw('a', '2', 7))).toBeDefined();
  expect(store.put(raw('a', '1', 6))).toBeUndefined();
  expect(store.put(raw('a', '2', 7))).toBeUndefined();
  expect(store.get('default/a')!.raw.metadata.resourceVersion).toBe('7');
});

test('the answer to a write brings back neither a deleted object nor a former namesake', () => {
  const store = new Store(ProbeKind);
  expect(store.observe(raw('a', '2', 7))).toBeUndefined();
  store.put(raw('a', '1', 8, { uid: 'second' }));
  expect(store.observe(raw('a', '2', 9, { uid: 'first' }))).toBeUndefined();
  expect(store.size).toBe(1);
  expect(store.get('default/a')!.raw.metadata.uid).toBe('second');
});

test('a list replaces what its namespace held, and leaves other namespaces alone', () => {
  const store = new Store(ProbeKind);
  for (const name of ['a', 'b']) store.put(raw(name, '1', 1));
  store.put(raw('c', '1', 1, { namespace: 'other' }));
  const changes = store.replace([raw('b', '2', 3)], 'default', 'goes on');
  expect(changes.map(({ key, after }) => `${key} ${after ? 'changed' : 'gone'}`)).toEqual([
    'default/a gone',
    'default/b changed',
  ]);
  expect(names(store.list('other'))).toEqual(['c']);
  store.replace([], undefined, 'goes on');
  expect(store.size).toBe(0);
});

test('a list of a history that began anew counts although its versions are lower', () => {
  const store = new Store(ProbeKind);
  store.put(raw('a', '2', 900));
  expect(store.replace([raw('a', '1', 12)], undefined, 'goes on')).toEqual([]);
  expect(store.replace([raw('a', '1', 12)], undefined, 'lost')).toHaveLength(1);
  expect(store.get('default/a')!.raw.metadata.resourceVersion).toBe('12');
});

test('an index follows what is added, changed and removed, and knows nothing of what does not parse', () => {
  const store = new Store(ProbeKind);
  const byValue: Index<Probe> = { kind: ProbeKind, valuesOf: (object) => [object.spec.value] };
  store.put(raw('b', 'x', 1));
  store.put(raw('a', 'x', 1));
  store.put(raw('c', 'unparsable', 1));
  expect(names(store.by(byValue, 'default', 'x'))).toEqual(['a', 'b']);
  store.put(raw('a', 'y', 2));
  store.remove('default/b');
  store.put(raw('d', 'x', 2));
  expect(names(store.by(byValue, 'default', 'x'))).toEqual(['d']);
  expect(names(store.by(byValue, 'default', 'y'))).toEqual(['a']);
  expect(store.by(byValue, 'default', 'unparsable')).toEqual([]);
  expect(store.by(byValue, 'other', 'x')).toEqual([]);
});

test('what nobody reads is not kept: managed fields, and the copy of the values that kubectl leaves', () => {
  const store = new Store(ProbeKind);
  const object = raw('a', '1', 1, {
    annotations: { 'kubectl.kubernetes.io/last-applied-configuration': 'canary', other: 'kept' },
  });
  Object.assign(object.metadata, { managedFields: [{ manager: 'canary' }] });
  store.put(object);
  const kept = JSON.stringify(store.get('default/a')!.raw);
  expect(kept).toContain('kept');
  expect(kept).not.toContain('canary');
});

test.each([
  ['10', '9', true],
  ['9', '10', false],
  ['9', '9', false],
  ['18446744073709551615', '18446744073709551614', true],
  ['abc', 'abd', true],
  ['abc', 'abc', false],
])('version %s is newer than %s: %s', (a, b, expected) => {
  expect(isNewer(a, b)).toBe(expected);
});

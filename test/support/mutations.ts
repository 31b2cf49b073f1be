/** Changes to a whole object that put hostile or merely unusual values wherever one can stand. */
import * as fc from 'fast-check';
import {
  hostileNumbers,
  hostileStrings,
  hostileStructures,
  type Json,
  nearlyRightFor,
} from './hostile-values.ts';

const anyValue: fc.Arbitrary<Json> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...hostileStrings) },
  { weight: 2, arbitrary: fc.constantFrom(...hostileNumbers) },
  { weight: 2, arbitrary: fc.constantFrom(...hostileStructures) },
  { weight: 1, arbitrary: fc.constantFrom<Json>(null, true, false) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme-composite', maxLength: 12 }) },
);

/** `at` and `which` choose from however many there are; small numbers must not be preferred, or all would hit the first. */
const choice = fc.noBias(fc.nat());

export type Mutation =
  | { kind: 'set'; at: number; value: Json }
  | { kind: 'nearly'; at: number; which: number }
  | { kind: 'remove'; at: number }
  | { kind: 'add'; at: number; key: string; value: Json }
  | { kind: 'repeat'; at: number };

export const mutation = (keys: readonly string[]): fc.Arbitrary<Mutation> => {
  const key = fc.constantFrom(...keys, 'unheardOf');
  const of = <K extends Mutation['kind']>(kind: K) => ({ kind: fc.constant(kind), at: choice });
  return fc.oneof(
    { weight: 4, arbitrary: fc.record({ ...of('nearly'), which: choice }) },
    { weight: 3, arbitrary: fc.record({ ...of('set'), value: anyValue }) },
    { weight: 3, arbitrary: fc.record(of('remove')) },
    { weight: 2, arbitrary: fc.record({ ...of('add'), key, value: anyValue }) },
    { weight: 1, arbitrary: fc.record(of('repeat')) },
  );
};

type Fields = { [key: string]: Json };
/** `field`: the key under which it stands, or under which its list stands. */
type Slot = { parent: Fields | Json[]; key: string | number; field: string };

function slotsOf(value: Json, field: string): Slot[] {
  if (value === null || typeof value !== 'object') return [];
  const keys: (string | number)[] = Array.isArray(value) ? value.map((_, at) => at) : Object.keys(value);
  return keys.flatMap((key) => {
    const slot = {
      parent: value,
      key,
      field: typeof key === 'number' || field === 'matchLabels' ? field : key,
    };
    return [slot, ...slotsOf(valueAt(slot), slot.field)];
  });
}

const valueAt = ({ parent, key }: Slot): Json => (parent as Record<string | number, Json>)[key]!;
const put = ({ parent, key }: Slot, value: Json): void => {
  (parent as Record<string | number, Json>)[key] = structuredClone(value);
};
const pick = <T>(from: readonly T[], choice: number): T | undefined => from[choice % from.length];
const isFields = (value: Json): value is Fields =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

/** A changed copy. */
export function mutate(original: Fields, mutations: readonly Mutation[]): Fields {
  const copy = structuredClone(original);
  for (const change of mutations) apply(copy, change);
  return copy;
}

function apply(root: Fields, change: Mutation): void {
  const slots = slotsOf(root, '');
  if (change.kind === 'add') {
    const target = pick([root, ...slots.map(valueAt).filter(isFields)], change.at)!;
    target[change.key] = structuredClone(change.value);
    return;
  }
  const slot = pick(
    slots.filter(({ parent }) => change.kind !== 'repeat' || Array.isArray(parent)),
    change.at,
  );
  if (slot === undefined) return;
  switch (change.kind) {
    case 'set':
      put(slot, change.value);
      return;
    case 'nearly':
      put(slot, pick(nearlyRightFor(slot.field), change.which)!);
      return;
    case 'repeat':
      (slot.parent as Json[]).push(structuredClone(valueAt(slot)));
      return;
    case 'remove':
      if (Array.isArray(slot.parent)) slot.parent.splice(slot.key as number, 1);
      else delete slot.parent[slot.key];
  }
}

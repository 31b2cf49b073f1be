/**
 * Objects for the differential test between zod and the API server: whole ones from which parts are left out, and
 * mutations that put hostile or merely unusual values wherever one can stand.
 */
import * as fc from 'fast-check';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const strings = [
  '',
  ' ',
  'a',
  'A',
  'a\n',
  '\u0000',
  'ä',
  '😀',
  '.',
  '..',
  '-',
  'svc',
  'null',
  '0',
  ...['a'.repeat(31), 'a'.repeat(32), 'a'.repeat(63), 'a'.repeat(64), '😀'.repeat(253), 'a'.repeat(2049)],
  // addresses and names
  ...[
    '192.0.2.1',
    '01.2.3.4',
    '1.2.3',
    '256.1.1.1',
    '0x7f000001',
    '1.2.3.4.',
    '::',
    '::1',
    '2001:db8::1',
    '2001:DB8::1',
  ],
  ...[
    '::ffff:192.0.2.1',
    '::ffff:c000:201',
    '::192.0.2.1',
    'fe80::1%eth0',
    '1::2::3',
    '[::1]',
    '1:2:3:4:5:6:7:8',
    '12345::',
  ],
  ...[
    'example.com',
    'Example.COM',
    'example.com.',
    '-a.b',
    'a-.b',
    'a..b',
    'ex_ample',
    'a.1',
    '1.a',
    'xn--bcher-kva.example',
  ],
  // durations
  ...[
    '90s',
    '9s',
    '10s',
    '1h',
    '1h1s',
    '59m60s',
    '61m',
    '0s',
    '1s1h',
    '99999h',
    '100000h',
    '1.5h',
    '-5s',
    '+90s',
    '90',
    '1d',
    'h',
    '720h',
    '0h0m10s',
    '010s',
  ],
  // flake references and hashes
  ...[
    'github:a/b',
    'github:',
    'github:/',
    'path:/a b',
    'path:/a',
    'path:a',
    'git+https://x/y?ref=z',
    'git+ssh://x',
    'https://x/y.tar.gz',
    'http://x',
    "https://x/'",
    'https://x/"',
    'https://x/$' + '{y}',
  ],
  ...[
    'a'.repeat(40),
    'A'.repeat(40),
    `sha256-${'A'.repeat(43)}=`,
    `sha256-${'A'.repeat(44)}`,
    `sha512-${'A'.repeat(43)}=`,
  ],
  // paths, modes, units, users, keys
  ...[
    '/a',
    '/a/',
    '//a',
    '/',
    'a/b',
    '/a/../b',
    '/a/./b',
    '/a/..',
    '/...',
    '/a b',
    '/nix',
    '/nixos',
    '/nix/store/x',
    '/run/firn/x',
    '/run/firnx',
    '/dev/null',
  ],
  ...[
    '0400',
    '400',
    '0800',
    '00400',
    '1777',
    'a.service',
    'a@b.service',
    'a',
    '.service',
    'a.slice',
    'a/b.service',
    'a.service\n',
    '-x.service',
    '_x',
    'x$',
    'x-1',
    '1x',
  ],
  ...[
    'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI',
    'ssh-ed25519 AAAA',
    'ssh-dss AAAAC3NzaC1lZDI1NTE5',
    'host ssh-ed25519 AAAAC3NzaC1lZDI1NTE5',
    'ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAA a comment',
    'ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAA\tx',
    'ssh-rsa  AAAAC3NzaC1lZDI1NTE5AAAA',
  ],
  // labels, systems, releases, enums, times
  ...[
    'example.com/x',
    '/x',
    'x/',
    'x/y/z',
    'a_b',
    '_a',
    'a.',
    'x86_64-linux',
    'x86_64-darwin',
    '26.05',
    '26.11',
    '26.06',
    '6.05',
  ],
  ...[
    'Strict',
    'TrustOnFirstUse',
    'strict',
    'Plan',
    'Paused',
    'Reset',
    'In',
    'Exists',
    'DoesNotExist',
    'WouldNotBoot',
    'Target',
    'True',
  ],
  ...[
    '2026-11-21T10:00:00Z',
    '2026-11-21',
    '2026-11-21T10:00:00',
    '2026-11-21T10:00:00+01:00',
    '2026-13-21T10:00:00Z',
    '2026-02-30T10:00:00Z',
    '2026-11-21T25:00:00Z',
    '2026-11-21 10:00:00Z',
    '2026-11-21t10:00:00z',
    '2026-11-21T10:00:00.123456Z',
    '2026-11-21T10:00:60Z',
  ],
];
const numbers = [
  0,
  1,
  -1,
  22,
  65_535,
  65_536,
  9999,
  10_000,
  1.5,
  2 ** 31,
  2 ** 53 - 2,
  2 ** 53,
  1e21,
  -(2 ** 63),
];
const structures: Json[] = [
  [],
  {},
  [''],
  [{}],
  ['a', 'a'],
  [[]],
  [null],
  { a: 'b' },
  { '': '' },
  { a: null },
  { 'a/b/c': 'd' },
  { constructor: 'x' },
];

/** Any value, or one of a kind that tends to be nearly right. */
const anyValue: fc.Arbitrary<Json> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...strings) },
  { weight: 2, arbitrary: fc.constantFrom(...numbers) },
  { weight: 2, arbitrary: fc.constantFrom(...structures) },
  { weight: 1, arbitrary: fc.constantFrom<Json>(null, true, false) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme-composite', maxLength: 12 }) },
);

/** `at` chooses a place, whatever the number of places; even small numbers must not be preferred, or all would hit the first. */
export type Mutation =
  | { kind: 'set'; at: number; value: Json }
  | { kind: 'remove'; at: number }
  | { kind: 'add'; at: number; key: string; value: Json }
  | { kind: 'repeat'; at: number };

const where = fc.noBias(fc.nat());

export const mutation = (keys: readonly string[]): fc.Arbitrary<Mutation> =>
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('set' as const), at: where, value: anyValue }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('remove' as const), at: where }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('add' as const),
        at: where,
        key: fc.constantFrom(...keys, 'unheardOf'),
        value: anyValue,
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('repeat' as const), at: where }) },
  );

type Slot = { parent: Record<string, Json> | Json[]; key: string | number };

function slotsOf(value: Json): Slot[] {
  if (value === null || typeof value !== 'object') return [];
  const keys: (string | number)[] = Array.isArray(value) ? value.map((_, at) => at) : Object.keys(value);
  return keys.flatMap((key) => [
    { parent: value, key },
    ...slotsOf((value as Record<string | number, Json>)[key]!),
  ]);
}

const pick = <T>(from: readonly T[], at: number): T | undefined => from[at % from.length];

/** A changed copy. */
export function mutate(
  original: { [key: string]: Json },
  mutations: readonly Mutation[],
): { [key: string]: Json } {
  const copy = structuredClone(original);
  for (const change of mutations) apply(copy, change);
  return copy;
}

function apply(root: { [key: string]: Json }, change: Mutation): void {
  const slots = slotsOf(root);
  if (change.kind === 'add') {
    const objects = slots
      .map(valueAt)
      .filter((value) => value !== null && typeof value === 'object' && !Array.isArray(value));
    const target = pick([root, ...objects], change.at) as Record<string, Json>;
    target[change.key] = structuredClone(change.value);
    return;
  }
  const chosen = change.kind === 'repeat' ? slots.filter(({ parent }) => Array.isArray(parent)) : slots;
  const slot = pick(chosen, change.at);
  if (slot === undefined) return;
  if (change.kind === 'repeat') (slot.parent as Json[]).push(structuredClone(valueAt(slot)));
  else if (change.kind === 'set')
    (slot.parent as Record<string | number, Json>)[slot.key] = structuredClone(change.value);
  else if (Array.isArray(slot.parent)) slot.parent.splice(slot.key as number, 1);
  else delete slot.parent[slot.key];
}

const valueAt = ({ parent, key }: Slot): Json => (parent as Record<string | number, Json>)[key]!;

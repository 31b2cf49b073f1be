/** Values at the edge of what fields accept, by the fields that they are nearly right for. */
import { networkFields, networks, prefixes } from './hostile-networks.ts';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** One value a word. */
const words = (text: string): string[] => text.trim().split(/\s+/);

const addresses = words(`
  192.0.2.1 0.0.0.0 01.2.3.4 1.2.3 256.1.1.1 0x7f000001 1.2.3.4. 1.2.3.4/24 :: ::1 2001:db8::1 2001:DB8::1 1::
  ::ffff:192.0.2.1 ::ffff:c000:201 ::192.0.2.1 ::1.2.3.04 64:ff9b::1.2.3.4 1:2:3:4:5:6:1.2.3.4 ::ffff:0:1.2.3.4
  fe80::1%eth0 1::2::3 [::1] 1:2:3:4:5:6:7:8 1:2:3:4:5:6:7:: ::2:3:4:5:6:7:8 1:2:3:4::5:6:7:8 12345:: 0001:: 1:2:3`);
const names = [
  ...words(`example.com Example.COM example.com. -a.b a-.b a..b ex_ample a.1 1.a xn--bcher-kva.example svc pod . ..
    _x x$ x-1 1x -x root app`),
  ...[
    'a'.repeat(31),
    'a'.repeat(32),
    'a'.repeat(52),
    'a'.repeat(53),
    'a'.repeat(63),
    'a'.repeat(64),
    `${'a.'.repeat(126)}a`,
  ],
];
const durations = words(`
  90s 9s 10s 1h 1h1s 59m60s 61m 0s 1s1h 99999h 100000h 1.5h -5s +90s 90 1d h 720h 720h1s 0h0m10s 010s 1h1h 90S 1m30s`);
const flakes = [
  ...words(`github:a/b github: github:/ path:/a path:a path: git+https://x/y?ref=z git+ssh://x https://x/y.tar.gz
    http://x https://x/' https://x/" https://x/\\ https://[::1]/x https://x/\`y\``),
  ...[
    'path:/a b',
    'path:/a\n',
    `path:/${'a'.repeat(2042)}`,
    `path:/${'a'.repeat(2043)}`,
    `https://x/$${'{y}'}`,
  ],
];
const hashes = [
  ...[
    'a'.repeat(40),
    'A'.repeat(40),
    'a'.repeat(41),
    'a'.repeat(64),
    'a'.repeat(12),
    'a'.repeat(13),
    'g'.repeat(12),
  ],
  ...[
    `sha256-${'A'.repeat(43)}=`,
    `sha256-${'A'.repeat(44)}`,
    `sha512-${'A'.repeat(43)}=`,
    `sha256-${'+/'.repeat(21)}_=`,
  ],
];
const paths = [
  ...words(`/a /a/ //a / a/b /a/../b /a/./b /a/.. /... /.a /nix /nixos /nix/store/x /run/firn/x /run/firnx /dev/null
    /a~b /a,b /a=b /a@b:c /var/lib/firn /var/lib/firn2`),
  ...['/a b', '/a\n', `/${'a'.repeat(1023)}`, `/${'a'.repeat(1024)}`],
];
const modes = words('0400 400 0800 00400 1777 0777 0 u=r');
const units = [
  ...words(
    'a.service a@b.service a .service a.slice a/b.service -x.service a:b.mount a.Service a.service.d a\\x2db.path',
  ),
  ...['a.service\n', `${'a'.repeat(247)}.service`, `${'a'.repeat(248)}.service`],
];
const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI';
const hostKeys = [
  key,
  `${key} `,
  `${key} a comment`,
  `${key}\tx`,
  `${key}\n`,
  `host ${key}`,
  ` ${key}`,
  key.replace(' ', '  '),
].concat([
  'ssh-ed25519 AAAA',
  'ssh-dss AAAAC3NzaC1lZDI1NTE5',
  `ecdsa-sha2-nistp256 ${'A'.repeat(100)}==`,
  `ssh-rsa ${'A'.repeat(2040)}`,
  `ssh-rsa ${'A'.repeat(2041)}`,
  `${key} ü`,
]);
const labels = [
  ...words('example.com/x /x x/ x/y/z a_b _a a. a-b.c_d Ex.com/x constructor'),
  ...[`${'a'.repeat(253)}/x`, `${'a'.repeat(254)}/x`, 'a'.repeat(63), 'a'.repeat(64)],
];
const times = words(`
  2026-11-21T10:00:00Z 2026-11-21 2026-11-21T10:00:00 2026-11-21T10:00:00+01:00 2026-13-21T10:00:00Z 2026-02-30T10:00:00Z
  2026-11-21T25:00:00Z 2026-11-21t10:00:00z 2026-11-21T10:00:00.123456Z 2026-11-21T10:00:60Z 2026-11-21T10:00:00.Z`);
const binds = words(`
  192.0.2.1:443 [2001:db8::1]:443 :443 :0 :00 :65535 :65536 :99999 :100000 443 : 0.0.0.0:443 [::]:443 [::1]:443 127.0.0.1:80
  2001:db8::1:443 [192.0.2.1]:443 [::ffff:192.0.2.1]:443 192.0.2.256:443 192.0.02.1:443 [2001:DB8::1]:443 [:::]:443 []:443
  [::1]:0443 *:443 example.com:443 [fe80::1%eth0]:443 :53 :2379 :6443 :7443 :10250 :29999 :30000 :32767 :32768 [1::2:443 1.2.3.4:5:6`);
const releases = words('26.05 26.11 26.06 6.05 126.05 x86_64-linux aarch64-linux x86_64-darwin X-linux');
const choices = words(`
  Strict TrustOnFirstUse strict Plan Apply Paused Reset Orphan In NotIn Exists DoesNotExist WouldNotBoot RebootUnprotected
  Target Never True False system secrets Reverted`);
const odd = [
  '',
  ' ',
  'a',
  'A',
  'a\n',
  '\u0000',
  'ä',
  '😀',
  'null',
  '0',
  '-',
  '😀'.repeat(253),
  '😀'.repeat(257),
  'a'.repeat(2049),
];

export const hostileStrings: readonly string[] = [
  ...odd,
  ...addresses,
  ...networks,
  ...names,
  ...durations,
  ...flakes,
  ...hashes,
  ...paths,
  ...modes,
  ...units,
  ...hostKeys,
  ...labels,
  ...times,
  ...releases,
  ...binds,
  ...choices,
];

export const hostileNumbers = [
  0,
  1,
  ...prefixes,
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

export const hostileStructures: readonly Json[] = [
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

const subjects = words(`
  system:masters system: systemx firn:operator firn: a:b oidc:x@example.com a/b=c+d -a a- a--b kubernetes-admin @a`);

const byField: Readonly<Record<string, readonly string[]>> = {
  host: [...addresses, ...names],
  addresses,
  ...networkFields,
  domain: names,
  extraArgs: labels,
  compactionInterval: durations,
  timeout: durations,
  name: [...names, ...labels],
  user: [...names, ...subjects],
  groups: subjects,
  lifetime: durations,
  secretName: names,
  owner: names,
  group: names,
  confirmWithin: durations,
  deletionTimeout: durations,
  url: flakes,
  rev: hashes,
  narHash: hashes,
  path: paths,
  mode: [...modes, ...choices],
  restartUnits: units,
  reloadUnits: units,
  hostKeys,
  key: labels,
  values: labels,
  matchLabels: labels,
  lastTransitionTime: times,
  at: times,
  deadline: times,
  stateVersion: releases,
  system: [...releases, ...hashes],
  bind: binds,
  balance: words('roundrobin leastconn source random first uri'),
  port: [...names, ...words('https a-b -a a- 80 abcdefghijklmnop abcdefghijklmno')],
  namespace: names,
};

/** What is worth trying in a field, or in the list or map of that name. */
export const nearlyRightFor = (field: string): readonly string[] =>
  byField[field] ?? [...choices, ...hashes, ...odd];

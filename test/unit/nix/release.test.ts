import { Sealed } from '../../../controllers/lib/core/sealed.ts';
import {
  type DeliveredFile,
  dataTree,
  type MadeFile,
  releaseId,
  secretsPartHash,
  secretsTree,
} from '../../../controllers/lib/nix/release.ts';
import { hashTree } from '../../../controllers/lib/nix/tree.ts';

const file = (changes: Partial<DeliveredFile> = {}): DeliveredFile => ({
  path: '/run/keys/licence',
  content: new Sealed(new TextEncoder().encode('canary')),
  mode: 0o400,
  owner: 'app',
  group: 'app',
  restartUnits: ['app.service', 'other.service'],
  reloadUnits: [],
  ...changes,
});
const key = new Sealed(new Uint8Array(32).fill(7));

test('a release is named by its parts', () => {
  const parts = { system: 'a'.repeat(64), data: 'b'.repeat(64), secrets: 'c'.repeat(64) };
  expect(releaseId(parts)).toMatch(/^[0-9a-f]{12}$/);
  expect(releaseId(parts)).toBe(releaseId({ ...parts }));
  expect(releaseId({ ...parts, data: parts.secrets, secrets: parts.data })).not.toBe(releaseId(parts));
});

test('the index has a line per file, in the order of paths', () => {
  const tree = secretsTree([
    file(),
    file({ path: '/etc/a b', mode: 0o44, restartUnits: [], reloadUnits: ['x.service'] }),
  ]);
  expect(tree.get('index')).toBe(
    `0 0044 app app ${btoa('/etc/a b')} - x.service\n1 0400 app app ${btoa('/run/keys/licence')} app.service,other.service -\n`,
  );
  expect([...tree.keys()]).toEqual(['index', '0', '1']);
  expect(() => hashTree(tree)).not.toThrow();
});

test('the name of the secrets part changes with each thing that is delivered, and with the key', () => {
  const changes: Partial<DeliveredFile>[] = [
    {},
    { content: new Sealed(new TextEncoder().encode('canarz')) },
    { mode: 0o440 },
    { owner: 'root' },
    { group: 'root' },
    { path: '/run/keys/other' },
    { restartUnits: ['app.service'] },
    { restartUnits: [], reloadUnits: ['app.service', 'other.service'] },
  ];
  const hashes = changes.map((change) => secretsPartHash(key, [file(change)]));
  expect(new Set([...hashes, secretsPartHash(key, [])]).size).toBe(changes.length + 1);
  expect(secretsPartHash(new Sealed(new Uint8Array(32)), [file()])).not.toBe(hashes[0]);
  expect(secretsPartHash(key, [file()])).toBe(hashes[0]);
});

const made = (changes: Partial<MadeFile> = {}): MadeFile => {
  const { content, ...placement } = file();
  return { ...placement, purpose: 'apiserver 1', keptIn: null, ...changes };
};

test('what is made is named by its purpose, wherever it comes from', () => {
  const hash = secretsPartHash(key, [made()]);
  expect(secretsPartHash(key, [made({ keptIn: 'd'.repeat(64) })])).toBe(hash);
  expect(secretsPartHash(key, [made({ purpose: 'apiserver 2' })])).not.toBe(hash);
  const alike = file({ content: new Sealed(new TextEncoder().encode('apiserver 1')) });
  expect(secretsPartHash(key, [alike])).not.toBe(hash);
});

test('what the host keeps is not sent, and what is made is', () => {
  const kept = 'd'.repeat(64);
  const files = [made(), made({ path: '/etc/kept', keptIn: kept }), file({ path: '/z' })];
  const tree = secretsTree(files, new Map([['/run/keys/licence', new Sealed(Buffer.from('new'))]]));
  const sources = String(tree.get('index'))
    .split('\n')
    .map((line) => line.split(' ')[0]);
  expect(sources).toEqual([`=${kept}`, '0', '1', '']);
  expect(String(tree.get('0'))).toBe('new');
  expect(() => secretsTree(files)).toThrow('nothing was made for /run/keys/licence');
});

test('the order in which files are given does not matter', () => {
  const files = [file(), file({ path: '/a' })];
  expect(secretsPartHash(key, [...files].reverse())).toBe(secretsPartHash(key, files));
});

test.each<[string, Partial<DeliveredFile>, string]>([
  ['a relative path', { path: 'etc/x' }, 'not an absolute path'],
  ['a path that climbs', { path: '/etc/../x' }, 'not an absolute path'],
  ['the root', { path: '/' }, 'not an absolute path'],
  ['a newline', { path: '/etc/x\n1 0777 root' }, 'control characters'],
  ['setuid', { mode: 0o4755 }, 'not within 0000 and 0777'],
  ['an owner with a space', { owner: 'a b' }, 'not a user name'],
  ['an empty group', { group: '' }, 'not a group name'],
  ['an option as a unit', { restartUnits: ['--force'] }, 'not a unit'],
  ['two units in one', { reloadUnits: ['a.service,b.service'] }, 'not a unit'],
])('refuses %s', (_, change, message) => {
  expect(() => secretsTree([file(change)])).toThrow(message);
  expect(() => secretsPartHash(key, [file(change)])).toThrow(message);
});

test('refuses two files at one place', () => {
  expect(() => secretsTree([file(), file()])).toThrow('two files are to be delivered');
});

test('fleet data is sorted, and empty without other nodes', () => {
  expect(dataTree({ hosts: [] }).get('hosts')).toBe('');
  const hosts = [
    { address: '192.0.2.2', names: ['beta.k8s.internal', 'beta'] },
    { address: '2001:db8::1', names: ['alpha'] },
    { address: '192.0.2.1', names: ['alpha'] },
  ];
  const tree = dataTree({ hosts, files: new Map([['peers.json', '{}']]) });
  expect(tree.get('hosts')).toBe('192.0.2.1 alpha\n192.0.2.2 beta.k8s.internal beta\n2001:db8::1 alpha\n');
  expect([...tree.keys()]).toEqual(['hosts', 'peers.json']);
  expect(() => dataTree({ hosts: [{ address: '::1', names: ['x\ny'] }] })).toThrow('not a line');
  expect(() => dataTree({ hosts: [{ address: '::1 x', names: ['y'] }] })).toThrow('not a line');
});

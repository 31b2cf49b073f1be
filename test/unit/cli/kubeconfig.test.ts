import { lstatSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { type Entry, entryText, holdsOnly, mergeEntry, readEntry } from '../../../cli/kubeconfig-entry.ts';
import { mergeInto, usualFile, writeAlone } from '../../../cli/kubeconfig-file.ts';
import { runFirnCli } from '../../support/cli.ts';

const entry: Entry = {
  name: 'ops@demo',
  cluster: { server: 'https://kube.example.com:6443', 'certificate-authority-data': 'Q0E=' },
  user: { 'client-certificate-data': 'Q0VSVA==', 'client-key-data': 'S0VZ' },
};

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'firn-kubeconfig-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('what the Secret holds', () => {
  test('is read as it was written', () => {
    expect(readEntry(entryText(entry))).toEqual(entry);
  });

  test('is nothing that runs a program', () => {
    const config = parse(entryText(entry));
    config.users[0].user.exec = { command: '/bin/sh' };
    config.clusters[0].cluster['proxy-url'] = 'http://evil.example.com';
    config.clusters[0].cluster['insecure-skip-tls-verify'] = true;
    expect(readEntry(JSON.stringify(config))).toEqual(entry);
  });

  test.each([
    ['nothing', ''],
    ['no YAML', '['],
    ['a list', '- x'],
    ['a server without TLS', entryText(entry).replace('https:', 'http:')],
    ['a token', 'users: [{ name: x, user: { token: canary } }]'],
    ['a name that a terminal obeys', entryText({ ...entry, name: '\u001b[2Jops' })],
    ['a path instead of a key', entryText(entry).replace('client-key-data: S0VZ', 'client-key: /etc/passwd')],
  ])('%s is refused', (_, text) => {
    expect(() => readEntry(text)).toThrow(/^the Secret holds something else than a kubeconfig of Firn$/);
  });
});

const others = `# mine
apiVersion: v1
kind: Config
current-context: home
clusters:
  - name: home # at home
    cluster: { server: https://home:6443 }
users:
  - name: home
    user: { token: abc }
contexts:
  - name: home
    context: { cluster: home, user: home }
`;

describe('merged into a file with others', () => {
  test('they stay, and so do comments and the current context', () => {
    const text = mergeEntry(others, entry);
    expect(text).toContain('# mine\n');
    expect(text).toContain('name: home # at home\n');
    const config = parse(text);
    expect(config['current-context']).toBe('home');
    expect(config.users).toEqual([
      { name: 'home', user: { token: 'abc' } },
      { name: 'ops@demo', user: entry.user },
    ]);
    expect(config.contexts[1]).toEqual({
      name: 'ops@demo',
      context: { cluster: 'ops@demo', user: 'ops@demo' },
    });
  });

  test('twice is once, with what is new', () => {
    const renewed = { ...entry, user: { ...entry.user, 'client-key-data': 'TkVX' } };
    const config = parse(mergeEntry(mergeEntry(others, entry), renewed));
    expect(config.users).toHaveLength(2);
    expect(config.users[1].user['client-key-data']).toBe('TkVX');
  });

  test('an empty file gets a current context', () => {
    expect(parse(mergeEntry('', entry))['current-context']).toBe('ops@demo');
    expect(parse(mergeEntry('clusters: null\nusers: []\n', entry)).clusters).toHaveLength(1);
  });

  test('another cluster of the name is not overwritten', () => {
    const other = {
      ...entry,
      cluster: { server: 'https://other:6443', 'certificate-authority-data': 'eA==' },
    };
    expect(() => mergeEntry(entryText(other), entry)).toThrow(
      'the file has another "ops@demo" already: choose a name with --as',
    );
    const user = 'users: [{ name: ops@demo, user: { token: abc } }]\n';
    expect(() => mergeEntry(user, entry)).toThrow('choose a name with --as');
  });

  test('a file that is none', () => {
    expect(() => mergeEntry('a: [', entry)).toThrow('is no kubeconfig');
    expect(() => mergeEntry('- a', entry)).toThrow('is no kubeconfig');
  });
});

describe('files', () => {
  const modeOf = (path: string): number => statSync(path).mode & 0o777;

  test('are for their owner alone, also those that were not', () => {
    const file = join(folder, 'deep', 'config');
    mergeInto(file, entry);
    expect(modeOf(file)).toBe(0o600);
    const open = join(folder, 'open');
    writeFileSync(open, others, { mode: 0o644 });
    mergeInto(open, entry);
    expect(modeOf(open)).toBe(0o600);
  });

  test('are written to nothing that was prepared for them', () => {
    const [file, prepared] = [join(folder, 'config'), join(folder, 'prepared')];
    writeFileSync(prepared, '', { mode: 0o644 });
    symlinkSync(prepared, `${file}.new`);
    mergeInto(file, entry);
    expect(readFileSync(prepared, 'utf8')).toBe('');
    expect([lstatSync(file).isSymbolicLink(), modeOf(file)]).toEqual([false, 0o600]);
  });

  test('behind a link are changed where they are', () => {
    const [file, link] = [join(folder, 'file'), join(folder, 'link')];
    writeFileSync(file, others);
    symlinkSync(file, link);
    expect(mergeInto(link, entry)).toBe(file);
    expect(readFileSync(file, 'utf8')).toContain('ops@demo');
  });

  test('that somebody else is changing are left', () => {
    const file = join(folder, 'config');
    writeFileSync(`${file}.lock`, '');
    expect(() => mergeInto(file, entry)).toThrow('is being changed by another program');
  });

  test('of its own are replaced, those with others are not', () => {
    const file = join(folder, 'own');
    writeAlone(file, entry);
    writeAlone(file, entry);
    expect(readEntry(readFileSync(file, 'utf8'))).toEqual(entry);
    expect(holdsOnly(others, entry)).toBe(false);
    writeFileSync(file, others);
    expect(() => writeAlone(file, entry)).toThrow('has other entries: add to it with --merge');
    expect(readFileSync(file, 'utf8')).toBe(others);
  });

  test('are those of kubectl', () => {
    expect(usualFile({ KUBECONFIG: ':/a:/b', HOME: '/home/me' })).toBe('/a');
    expect(usualFile({ HOME: '/home/me' })).toBe('/home/me/.kube/config');
  });
});

test.each<[words: string[], said: string]>([
  [[], 'kubeconfig needs NAME of a ClusterAccess, or --cluster and --user to make one'],
  [['ops', '--merge', '--output', 'x'], '--merge and --output exclude each other'],
  [['ops', '--user', 'x'], 'give --cluster too'],
  [['--cluster', 'demo'], '--cluster needs --user'],
  [['--cluster', 'demo', '--user', 'me@example.com'], 'cannot be the name of an object: give NAME too'],
])('kubeconfig %j is called wrongly', async (words, said) => {
  const { code, err } = await runFirnCli(['kubeconfig', ...words]);
  expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining(said) });
});

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { programText } from '../../../controllers/lib/host/program.ts';
import { hashTree } from '../../../controllers/lib/nix/tree.ts';
import { runSnippet, type Shell, shells } from '../../support/host-program/snippet.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'firn-program-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const run = (shell: Shell, snippet: string, request = '') => runSnippet(folder, shell, snippet, request);

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const refusal = (reply: string): unknown => {
  const { ok, code } = JSON.parse(reply) as { ok: boolean; code?: string };
  return ok || code;
};

describe.each(shells)('in $name', ({ shell }) => {
  test('a request is read, text stays text', () => {
    const text = 'a "b" $(c) `d` \\e \u00e9 {f}';
    const reply = run(
      shell,
      `read_request hex:id int:fence text:note text:empty
       read_text note
       printf '%s|%s|%s|%s' "$r_id" "$r_fence" "$r_empty" "$text_note" >&4`,
      `id 00ff\nfence 12\nnote ${base64(text)}\nempty \n`,
    );
    expect(reply).toBe(`00ff|12||${text}`);
  });

  test.each([
    ['hex digits that are none', 'id 00fg\nfence 1\n'],
    ['a number that is none', 'id 00\nfence 1;reboot\n'],
    ['a number that no shell can count', 'id 00\nfence 99999999999999999999\n'],
    ['a missing field', 'id 00\n'],
    ['no request at all', ''],
  ])('%s is refused', (_, request) => {
    expect(refusal(run(shell, 'read_request hex:id int:fence; accept', request))).toBe('InvalidRequest');
  });

  test('text that is not base64 is refused', () => {
    expect(refusal(run(shell, 'read_request text:note; accept', 'note $(reboot)\n'))).toBe('InvalidRequest');
  });

  test('lists of units are JSON, with the backslashes that systemd escapes by', () => {
    const units = ['a.service', 'dev-disk-by\\x2duuid-1.swap', 'user@1000.service'];
    const words = units.map((unit) => `'${unit}'`).join(' ');
    expect(JSON.parse(run(shell, `json_list ${words} 'no"unit' >&4`))).toEqual(units);
    expect(JSON.parse(run(shell, 'json_list >&4'))).toEqual([]);
  });

  test('a directory has the hash that the operator gives its tree', () => {
    const tree = new Map([
      ['flake.nix', '{ }\n'],
      ['modules/10-a.nix', 'a'],
      ['modules-b', ''],
      ['modules+c', 'no newline'],
      ['Modules/Z.nix', 'Z'],
      ['modules/sub.d/x', '\u00fc\n'],
    ]);
    for (const [path, content] of tree) {
      mkdirSync(dirname(join(folder, 'tree', path)), { recursive: true });
      writeFileSync(join(folder, 'tree', path), content);
    }
    expect(run(shell, 'hash_tree tree >&4').trim()).toBe(hashTree(tree));
    mkdirSync(join(folder, 'none'));
    expect(run(shell, 'hash_tree none >&4').trim()).toBe(hashTree(new Map()));
  });

  test('names that a shell could read otherwise are no tree', () => {
    mkdirSync(join(folder, 'tree'));
    writeFileSync(join(folder, 'tree/good-1.nix'), '');
    expect(run(shell, 'safe_tree tree && printf safe >&4')).toBe('safe');
    writeFileSync(join(folder, 'tree/a b'), '');
    expect(run(shell, 'safe_tree tree && printf safe >&4')).toBe('');
    rmSync(join(folder, 'tree/a b'));
    symlinkSync('/etc/passwd', join(folder, 'tree/link'));
    expect(run(shell, 'safe_tree tree && printf safe >&4')).toBe('');
  });

  test('a state that is written down comes back, and a killed write leaves the old one', () => {
    const reply = run(
      shell,
      `state=$PWD
       read_trial
       t_id=0123456789ab t_attempt=2 t_message=$(clipped_b64 'it "says" so') t_failed='a.service b\\x2dc.service'
       move_trial Reverted UnitsFailed
       printf half >trial.new
       read_trial
       printf '%s|%s|%s|%s|%s' "$t_id" "$t_attempt" "$t_state" "$t_reason" "$t_failed" >&4
       printf '|%s' "$(unb64 "$t_message")" >&4`,
    );
    expect(reply).toBe('0123456789ab|2|Reverted|UnitsFailed|a.service b\\x2dc.service|it "says" so');
  });

  test.each([
    ['/run/keys/a', true],
    ['/etc/ssl/private/a b.pem', true],
    ['relative', false],
    ['/etc/../root/x', false],
    ['/etc//x', false],
    ['/nix/store/x', false],
    ['/run/firn/current', false],
    ['/etc/new\nline', false],
    ['/', false],
  ])('a file at %j: delivered %s', (path, fine) => {
    const reply = run(shell, `check_secret 0 0400 root root ${base64(path)} - - ''; accept`);
    expect(refusal(reply)).toBe(fine ? true : 'InvalidRequest');
  });

  test.each([
    ['12', true],
    [`=${'0a'.repeat(32)}`, true],
    ['', false],
    ['1a', false],
    ['../0', false],
    ['=', false],
    [`=${'0a'.repeat(31)}`, false],
    [`=${'0A'.repeat(32)}`, false],
    [`=../${'0'.repeat(61)}`, false],
    [`==${'0'.repeat(63)}`, false],
  ])('a file from %j: taken %s', (source, fine) => {
    const reply = run(shell, `check_secret '${source}' 0400 root root ${base64('/x')} - - ''; accept`);
    expect(refusal(reply)).toBe(fine ? true : 'PayloadCorrupt');
  });

  test.each([
    ["error: builder for '/nix/store/x.drv' failed with exit code 1;", 'BuildFailed'],
    [
      "error: Cannot build '/nix/store/x.drv'.\n       Reason: builder failed with exit code 1.",
      'BuildFailed',
    ],
    ["error: undefined variable 'x'", 'EvaluationFailed'],
    ['error: writing to file: No space left on device', ''],
    ["error: unable to download 'https://example.org': Could not resolve host", ''],
    ["error: builder for '/nix/store/x.drv' failed due to signal 9 (Killed)", ''],
  ])('whose fault %j is: %j', (log, reason) => {
    writeFileSync(join(folder, 'log'), `building\n${log}\n`);
    expect(run(shell, `printf %s "$(build_reason log 1)" >&4; : "$(build_error log)"`)).toBe(reason);
  });

  test('the entry for a trial restarts where it would stop', () => {
    const conf =
      'title NixOS\nlinux /EFI/nixos/a.efi\noptions init=/nix/store/x/init loglevel=4\nmachine-id 0\n';
    writeFileSync(join(folder, 'conf'), conf);
    const lines = run(shell, 'trial_entry <conf >&4').split('\n');
    expect(lines).toEqual([
      'title NixOS (on trial)',
      'linux /EFI/nixos/a.efi',
      expect.stringMatching(/^options init=\/nix\/store\/x\/init loglevel=4 panic=\d+ boot\.panic_on_fail /),
      'machine-id 0',
      '',
    ]);
  });

  test('the last lines of a builder follow its error where Nix leaves them out', () => {
    const drv = (name: string) => `/nix/store/xwkpx63bphgbxia77n5qx38vh3wagwnl-${name}.drv`;
    const said = Array.from({ length: 30 }, (_, i) => `app> line ${i}\nother> fine\n`).join('');
    const errors = `error: builder for '${drv('app-1.2')}' failed with exit code 1\nerror: 1 dependencies of derivation '${drv('etc')}' failed to build`;
    writeFileSync(join(folder, 'log'), `${said}${errors}\n`);
    const lines = run(shell, 'build_error log >&4').split('\n');
    expect(lines.slice(0, 3)).toEqual([
      errors.split('\n')[0],
      expect.stringContaining('last lines'),
      '       > line 5',
    ]);
    expect(lines.slice(-3)).toEqual(['       > line 29', errors.split('\n')[1], '']);
    writeFileSync(join(folder, 'log'), `app> no\n${errors};\n       last 1 log lines:\n       > no\n`);
    expect(run(shell, 'build_error log >&4').match(/> no/g)).toHaveLength(1);
  });
});

test('shellcheck has no complaint about the whole program', () => {
  if (spawnSync('shellcheck', ['--version']).error) return;
  const { stdout } = spawnSync('shellcheck', ['--shell=dash', '-'], { input: programText, encoding: 'utf8' });
  expect(stdout).toBe('');
});

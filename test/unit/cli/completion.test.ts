import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commands } from '../../../cli/commands.ts';
import { completionScript, type Shell, shells } from '../../../cli/completion.ts';
import { runFirnCli } from '../../support/cli.ts';

/** Shells that are not installed are not asked; bash always is. */
const has = (shell: Shell): boolean => {
  try {
    execFileSync(shell, ['-c', 'exit 0'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};
const testWith = (shell: Shell) => (shell === 'bash' || has(shell) ? test : test.skip);

/** What the shell offers for the last word of a command line. */
function offered(shell: 'bash' | 'fish', line: string): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'firn-completion-'));
  try {
    const script = join(folder, 'script');
    writeFileSync(script, completionScript(shell, commands));
    const ask =
      shell === 'fish'
        ? `source ${script}; complete -C ${JSON.stringify(line)}`
        : `source ${script}; COMP_WORDS=(${line.replace(/ $/, ' ""')}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _firn; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const said = execFileSync(shell, ['-c', ask], {
      encoding: 'utf8',
      cwd: folder,
      env: { PATH: process.env.PATH, HOME: folder },
    });
    const words = said.split('\n').map((row) => row.split('\t')[0]!);
    return words.filter((word) => word !== '').sort();
  } finally {
    rmSync(folder, { recursive: true });
  }
}

for (const shell of ['bash', 'fish'] as const) {
  describe(shell, () => {
    testWith(shell)('offers commands', () => {
      const names = commands.map(({ name }) => name);
      expect(offered(shell, 'firn ')).toEqual(expect.arrayContaining(names));
      expect(offered(shell, 'firn st')).toEqual(['start', 'status']);
    });
    testWith(shell)('offers the options of the command, and no others', () => {
      expect(offered(shell, 'firn rollback --')).toEqual(
        ['--kubeconfig', '--context', '--namespace', '--wait', '--help'].sort(),
      );
    });
    testWith(shell)('offers what an argument can be', () => {
      expect(offered(shell, 'firn logs alpha b')).toEqual(['build']);
    });
    testWith(shell)('offers files where a file is meant', () => {
      expect(offered(shell, 'firn render -f scr')).toEqual(['script']);
    });
  });
}

testWith('zsh')('zsh reads its script, and its options are what _arguments understands', () => {
  const script = completionScript('zsh', commands);
  const stubs = `compdef() { :; }; _describe() { print -rl -- $commands; }; _files() { :; }
    _arguments() { print -rl -- "$@"; }\n`;
  const run = (words: string) =>
    execFileSync('zsh', ['-f', '-c', `${stubs}${script}\nwords=(${words}); CURRENT=$#words; _firn`], {
      encoding: 'utf8',
    }).split('\n');
  expect(run('firn ""')).toContain(`status:${commands.find(({ name }) => name === 'status')!.summary}`);
  const rollback = run('firn rollback ""');
  expect(rollback).toContain("--namespace[namespace; default\\: that of the kubeconfig's context]:NAME:");
  expect(rollback).toContain('1:NODE:');
});

test.each(shells)('firn completion %s prints the script', async (shell) => {
  const { code, out } = await runFirnCli(['completion', shell]);
  expect({ code, out: out.trim() }).toEqual({ code: 0, out: completionScript(shell, commands).trim() });
});

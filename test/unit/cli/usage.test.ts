import { commands } from '../../../cli/commands.ts';
import { runFirnCli } from '../../support/cli.ts';

test('the help names every command', async () => {
  const { code, out } = await runFirnCli(['--help']);
  expect(code).toBe(0);
  for (const { name, summary } of commands) expect(out).toMatch(new RegExp(`^  ${name} +${summary}$`, 'm'));
});

test.each(commands.map((command) => [command.name, command] as const))(
  'the help of %s names its arguments, options and examples',
  async (name, command) => {
    const asked = await Promise.all([
      runFirnCli([name, '--help']),
      runFirnCli([name, '-h']),
      runFirnCli(['help', name]),
    ]);
    const [{ code, out, err }] = asked;
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(new Set(asked.map((one) => one.out)).size).toBe(1);
    for (const [option, { help }] of Object.entries(command.options)) {
      expect(out).toContain(`--${option} `);
      expect(out).toContain(help);
    }
    for (const argument of command.arguments) expect(out).toContain(argument.help);
    for (const example of command.examples) expect(out).toContain(`  firn ${example}\n`);
    for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(118);
  },
);

test('as a plugin of kubectl it calls itself so', async () => {
  const { out } = await runFirnCli(['status', '--help'], { program: 'kubectl firn' });
  expect(out).toContain('Usage: kubectl firn status [NODE] [OPTIONS]');
});

test('no command at all shows the help and fails', async () => {
  const { code, out, err } = await runFirnCli([]);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toContain('Usage: firn COMMAND');
});

test('the version', async () => {
  expect(await runFirnCli(['--version'])).toEqual({ code: 0, out: '1.2.3\n', err: '' });
});

const misuses: [string, string[], string][] = [
  ['a slip in a command', ['statsu'], 'no command "statsu"; did you mean status?'],
  ['the beginning of a command', ['comp'], 'no command "comp"; did you mean completion?'],
  ['no such command', ['frobnicate'], 'no command "frobnicate"; there are start, status,'],
  ['a slip behind help', ['help', 'rolback'], 'did you mean rollback?'],
  ['a slip in an option', ['status', '--namespcae', 'x'], 'no option --namespcae; did you mean --namespace?'],
  ['no such option', ['status', '--frobnicate'], 'status has no option --frobnicate\n'],
  ['an inherited name is no option', ['status', '--constructor'], 'no option --constructor'],
  ['no such short option', ['status', '-x'], 'status has no option -x'],
  ['an option without its value', ['status', '--namespace'], '--namespace needs a value: --namespace NAME'],
  ['an option instead of a value', ['status', '-n', '--context', 'x'], '-n needs a value'],
  ['an empty value', ['status', '-n', ''], '-n needs a value'],
  ['a flag with a value', ['status', '--all-namespaces=yes'], '--all-namespaces takes no value'],
  ['an option twice', ['status', '-n', 'a', '--namespace', 'b'], '--namespace is given twice'],
  ['an argument too few', ['rollback'], 'rollback needs NODE: name of a NixNode'],
  ['an argument too many', ['resume', 'a', 'b'], 'resume does not take "b"'],
  [
    'a wrong choice',
    ['logs', 'a', 'biuld'],
    'STEP is one of build, activate, resolve, reset, not "biuld"; did you mean build?',
  ],
  [
    'a wrong value',
    ['start', '--log-level', 'loud'],
    '--log-level is one of debug, info, warn, error, not "loud"',
  ],
  [
    'a number that is none',
    ['logs', 'a', '--lines', '1e3'],
    '--lines is a number from 1 to 10000, not "1e3"',
  ],
  ['a port that is none', ['start', '--port', '70000'], '--port is a number from 1 to 65535, not "70000"'],
  [
    'options that exclude each other',
    ['start', '--kubeconfig', 'x', '--port', '1'],
    '--kubeconfig names another one',
  ],
  ['nothing to render', ['render'], 'render needs NODE, or manifests with -f FILE'],
];

test.each(misuses)('%s', async (_what, words, said) => {
  const { code, out, err } = await runFirnCli(words);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toContain(said);
});

test('a word behind -- is no option', async () => {
  const { code, err } = await runFirnCli(['resume', '--', '--help', 'b']);
  expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining('resume does not take "b"') });
});

test('a cluster that is not there is a failure in a sentence', async () => {
  const { code, out, err } = await runFirnCli(['status', '--kubeconfig', '/nonexistent/kubeconfig']);
  expect({ code, out }).toEqual({ code: 1, out: '' });
  expect(err).toBe(
    "firn: the kubeconfig cannot be read: ENOENT: no such file or directory, open '/nonexistent/kubeconfig'\n",
  );
});

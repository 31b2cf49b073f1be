import type { Command, Invocation } from './command.ts';
import { UsageError } from './command.ts';
import { commandHelp, programHelp } from './help.ts';
import { parseCommandLine } from './parse.ts';
import { suggestion } from './suggest.ts';
import type { Terminal } from './terminal.ts';

export type Surroundings = {
  /** What people type to get here: `firn` or `kubectl firn`. */
  program: string;
  version: string;
  commands: readonly Command[];
  terminal: Terminal;
  environment: NodeJS.ProcessEnv;
  signal: AbortSignal;
};

/** Exit status: 0 done, 1 failed, 2 called wrongly. */
export async function runCli(words: readonly string[], around: Surroundings): Promise<number> {
  const { terminal, program, commands } = around;
  const [first, ...rest] = words;
  if (first === '--version') {
    terminal.out(around.version);
    return 0;
  }
  if (first === undefined) {
    terminal.err(programHelp(program, commands));
    return 2;
  }
  if (asksForHelp(first) || first === 'help') {
    const [about] = rest;
    return about === undefined ? show(programHelp(program, commands), terminal) : help(about, around);
  }
  const command = commands.find(({ name }) => name === first);
  if (command === undefined) return unknownCommand(first, around);
  if (rest.slice(0, endOfOptions(rest)).some(asksForHelp)) return help(command.name, around);
  return runCommand(command, rest, around);
}

async function runCommand(command: Command, words: readonly string[], around: Surroundings): Promise<number> {
  const { terminal, environment, signal } = around;
  try {
    const parsed = parseCommandLine(command, words);
    const invocation = { ...parsed, terminal, environment, signal } as Invocation;
    return await command.run(invocation);
  } catch (error) {
    if (error instanceof UsageError) {
      terminal.err(`${around.program}: ${error.message}`);
      terminal.err(`${around.program} ${command.name} --help says more`);
      return 2;
    }
    if (signal.aborted) {
      terminal.err(`${around.program}: interrupted`);
      return 1;
    }
    // A bug has a stack that is worth reading; what users can cause has a message that is.
    const { explain } = await import('./explain.ts');
    terminal.err(`${around.program}: ${explain(error)}`);
    return 1;
  }
}

function help(about: string, around: Surroundings): number {
  const command = around.commands.find(({ name }) => name === about);
  if (command === undefined) return unknownCommand(about, around);
  return show(commandHelp(around.program, command), around.terminal);
}

function show(text: string, terminal: Terminal): number {
  terminal.out(text);
  return 0;
}

function unknownCommand(typed: string, { terminal, program, commands }: Surroundings): number {
  const names = commands.map(({ name }) => name);
  const meant = suggestion(typed, names);
  const hint = meant === null ? `; there are ${names.join(', ')}` : `; did you mean ${meant}?`;
  terminal.err(`${program}: no command ${JSON.stringify(typed)}${hint}`);
  return 2;
}

const asksForHelp = (word: string): boolean => word === '--help' || word === '-h';

const endOfOptions = (words: readonly string[]): number => {
  const at = words.indexOf('--');
  return at === -1 ? words.length : at;
};

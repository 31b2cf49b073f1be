import type { Argument, Command, Option } from './command.ts';

/** The help of the whole program. `program` is what people type: `firn` or `kubectl firn`. */
export function programHelp(program: string, commands: readonly Command[]): string {
  return [
    'Firn keeps NixOS hosts what Kubernetes objects say they are.',
    '',
    `Usage: ${program} COMMAND [OPTIONS]`,
    '',
    'Commands:',
    ...columns(commands.map(({ name, summary }) => [name, summary])),
    '',
    'Options:',
    ...columns([
      ['-h, --help', 'show this help, or that of a command'],
      ['    --version', 'show the version'],
    ]),
    '',
    `${program} COMMAND --help says more about a command.`,
  ].join('\n');
}

/** The help of one command. */
export function commandHelp(program: string, command: Command): string {
  const words = command.arguments.map(usageOf);
  const options = Object.entries(command.options).map(([name, option]) => optionLine(name, option));
  const sections = [
    [`${sentence(command.summary)}${command.description === undefined ? '' : `\n\n${command.description}`}`],
    [`Usage: ${[program, command.name, ...words, '[OPTIONS]'].join(' ')}`],
    section(
      'Arguments:',
      command.arguments.map(({ name, help }) => [name, help]),
    ),
    section('Options:', [...options, ['-h, --help', 'show this help']]),
    command.examples.length === 0
      ? []
      : ['Examples:', ...command.examples.map((example) => `  ${program} ${example}`)],
  ];
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

function usageOf({ name, required, choices }: Argument): string {
  const shown = choices === undefined ? name : choices.join('|');
  return required ? shown : `[${shown}]`;
}

function optionLine(name: string, { short, value, help, repeated, choices }: Option): [string, string] {
  const flag = `${short === undefined ? '    ' : `-${short}, `}--${name}`;
  const notes = [
    ...(choices === undefined ? [] : [choices.join(', ')]),
    ...(repeated === undefined ? [] : ['may be repeated']),
  ];
  return [
    value === undefined ? flag : `${flag} ${value}`,
    notes.length === 0 ? help : `${help} (${notes.join('; ')})`,
  ];
}

const section = (title: string, rows: readonly (readonly [string, string])[]): string[] =>
  rows.length === 0 ? [] : [title, ...columns(rows)];

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}

const sentence = (text: string): string => `${text[0]?.toUpperCase()}${text.slice(1)}.`;

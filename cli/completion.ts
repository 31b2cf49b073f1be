/** Completion scripts, made of the same table as the help. Names of the cluster's objects are not completed. */
import type { Command, Option } from './command.ts';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

export function completionScript(shell: Shell, commands: readonly Command[]): string {
  switch (shell) {
    case 'bash':
      return bash(commands);
    case 'zsh':
      return zsh(commands);
    case 'fish':
      return fish(commands);
  }
}

const optionsOf = (command: Command): [string, Option][] => [
  ...Object.entries(command.options),
  ['help', { short: 'h', help: 'show this help' }],
];
const choicesOf = (command: Command): string[] => command.arguments.flatMap(({ choices }) => choices ?? []);
const takesFile = ({ value }: Option): boolean => value === 'FILE' || value === 'DIR';

function bash(commands: readonly Command[]): string {
  const names = commands.map(({ name }) => name).join(' ');
  const cases = commands.map((command) => {
    const words = [...optionsOf(command).map(([name]) => `--${name}`), ...choicesOf(command)];
    return `    ${command.name}) words="${words.join(' ')}" ;;`;
  });
  const files = [
    ...new Set(
      commands
        .flatMap(optionsOf)
        .filter(([, option]) => takesFile(option))
        .flatMap(spellings),
    ),
  ];
  return `# bash completion for firn: source <(firn completion bash)
_firn() {
  local current=\${COMP_WORDS[COMP_CWORD]} words="${names} --help --version"
  case \${COMP_WORDS[COMP_CWORD - 1]} in
    ${files.join('|')}) COMPREPLY=($(compgen -f -- "$current")); return ;;
  esac
  if ((COMP_CWORD > 1)); then
    case \${COMP_WORDS[1]} in
${cases.join('\n')}
    help) words="${names}" ;;
    *) words="" ;;
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _firn firn
`;
}

const spellings = ([name, { short }]: [string, Option]): string[] => [
  `--${name}`,
  ...(short === undefined ? [] : [`-${short}`]),
];

/** In the `_arguments` language of zshcompsys(1), where `[`, `]` and `:` of a text are escaped. */
function zsh(commands: readonly Command[]): string {
  const described = commands.map(({ name, summary }) => `    ${quote(`${name}:${summary}`)}`);
  const cases = commands.map((command) => {
    const options = optionsOf(command).map((entry) => `        ${zshOption(entry)}`);
    const positions = command.arguments.map(
      ({ name, choices }, at) =>
        `        ${quote(`${at + 1}:${name}:${choices ? `(${choices.join(' ')})` : ''}`)}`,
    );
    return `      ${command.name})\n        _arguments \\\n${[...options, ...positions].join(' \\\n')}\n        ;;`;
  });
  return `#compdef firn
# zsh completion for firn: source <(firn completion zsh)
_firn() {
  local -a commands=(
${described.join('\n')}
  )
  if ((CURRENT == 2)); then
    _describe command commands
    return
  fi
  shift words
  ((CURRENT--))
  case $words[1] in
${cases.join('\n')}
  esac
}
compdef _firn firn
`;
}

function zshOption([name, option]: [string, Option]): string {
  const help = option.help.replaceAll(/[[\]:]/g, '\\$&');
  const completes = takesFile(option) ? '_files' : option.choices ? `(${option.choices.join(' ')})` : '';
  const value = option.value === undefined ? '' : `:${option.value}:${completes}`;
  const repeat = option.repeated ? '*' : '';
  return spellings([name, option])
    .map((spelling) => quote(`${repeat}${spelling}[${help}]${value}`))
    .join(' ');
}

function fish(commands: readonly Command[]): string {
  const top = commands.map(
    ({ name, summary }) => `complete -c firn -n __fish_use_subcommand -f -a ${name} -d ${quote(summary)}`,
  );
  const each = commands.flatMap((command) => {
    const when = `complete -c firn -n ${quote(`__fish_seen_subcommand_from ${command.name}`)}`;
    const choices = choicesOf(command);
    return [
      ...optionsOf(command).map(([name, option]) => fishOption(when, name, option)),
      ...(choices.length === 0 ? [] : [`${when} -f -a ${quote(choices.join(' '))}`]),
    ];
  });
  return `# fish completion for firn: firn completion fish | source\n${[...top, ...each].join('\n')}\n`;
}

function fishOption(when: string, name: string, option: Option): string {
  const short = option.short === undefined ? '' : ` -s ${option.short}`;
  const choices = option.choices === undefined ? '' : ` -a ${quote(option.choices.join(' '))}`;
  const value = option.value === undefined ? '' : takesFile(option) ? ' -r -F' : ` -x${choices}`;
  return `${when} -l ${name}${short}${value} -d ${quote(option.help)}`;
}

/** Single quotes, as all three shells read them; fish knows `\\'` inside, the others need to leave the quotes. */
const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

import { parseArgs } from 'node:util';
import { type Command, type Option, UsageError } from './command.ts';
import { suggestion } from './suggest.ts';

type Token = NonNullable<ReturnType<typeof parseArgs>['tokens']>[number];
type OptionToken = Extract<Token, { kind: 'option' }>;

export type Parsed = { options: Record<string, string | boolean | string[]>; arguments: string[] };

/** Checks the words behind a command against its declaration. Throws `UsageError`. */
export function parseCommandLine(command: Command, words: readonly string[]): Parsed {
  const declared = Object.entries(command.options).map(
    ([name, { value, short }]) =>
      [name, { type: value === undefined ? 'boolean' : 'string', ...(short && { short }) }] as const,
  );
  // Not `strict`: its messages know no suggestions.
  const { tokens } = parseArgs({
    args: [...words],
    options: Object.fromEntries(declared),
    strict: false,
    tokens: true,
  });
  const parsed: Parsed = { options: defaultsOf(command), arguments: [] };
  for (const token of tokens) {
    if (token.kind === 'positional') parsed.arguments.push(token.value);
    if (token.kind === 'option') accept(command, token, parsed.options);
  }
  checkArguments(command, parsed.arguments);
  return parsed;
}

const defaultsOf = (command: Command): Parsed['options'] =>
  Object.fromEntries(
    Object.entries(command.options).flatMap(([name, { value, repeated }]): [string, boolean | string[]][] => {
      if (repeated) return [[name, []]];
      return value === undefined ? [[name, false]] : [];
    }),
  );

function accept(command: Command, token: OptionToken, values: Parsed['options']): void {
  const option = Object.hasOwn(command.options, token.name) ? command.options[token.name] : undefined;
  if (option === undefined) throw unknownOption(command, token.rawName);
  if (option.value === undefined) {
    if (token.value !== undefined) throw new UsageError(`${token.rawName} takes no value`);
    values[token.name] = true;
    return;
  }
  const value = valueFor(token, option);
  const former = values[token.name];
  if (Array.isArray(former)) former.push(value);
  else if (former !== undefined) throw new UsageError(`${token.rawName} is given twice`);
  else values[token.name] = value;
}

function valueFor(token: OptionToken, option: Option): string {
  const { value, inlineValue, rawName } = token;
  // `--lines -f`: the next option was not meant as a value; `--lines=-f` says that it is.
  if (typeof value !== 'string' || value === '' || (!inlineValue && value.startsWith('-') && value !== '-')) {
    throw new UsageError(`${rawName} needs a value: ${rawName} ${option.value}`);
  }
  if (option.choices !== undefined && !option.choices.includes(value)) {
    throw new UsageError(`${rawName} is one of ${option.choices.join(', ')}, not ${JSON.stringify(value)}`);
  }
  return value;
}

function unknownOption(command: Command, rawName: string): UsageError {
  const names = Object.keys(command.options).map((name) => `--${name}`);
  const meant = rawName.startsWith('--') ? suggestion(rawName, names) : null;
  return new UsageError(
    `${command.name} has no option ${rawName}${meant === null ? '' : `; did you mean ${meant}?`}`,
  );
}

function checkArguments(command: Command, given: readonly string[]): void {
  for (const [position, argument] of command.arguments.entries()) {
    const value = given[position];
    if (value === undefined) {
      if (argument.required) throw new UsageError(`${command.name} needs ${argument.name}: ${argument.help}`);
      continue;
    }
    if (argument.choices !== undefined && !argument.choices.includes(value)) {
      const meant = suggestion(value, argument.choices);
      const hint = meant === null ? '' : `; did you mean ${meant}?`;
      throw new UsageError(
        `${argument.name} is one of ${argument.choices.join(', ')}, not ${JSON.stringify(value)}${hint}`,
      );
    }
  }
  const extra = given[command.arguments.length];
  if (extra !== undefined) throw new UsageError(`${command.name} does not take ${JSON.stringify(extra)}`);
}

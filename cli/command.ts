/** What a command is: data that parsing, help, suggestions and completion are made of, and the function that runs it. */
import type { Terminal } from './terminal.ts';

export type Option = {
  /** Absent: a flag. Otherwise what its value is called in the help, such as `FILE`. */
  value?: string;
  short?: string;
  /** May be given more than once. */
  repeated?: true;
  /** The only values that it takes. */
  choices?: readonly string[];
  help: string;
};
export type Options = Readonly<Record<string, Option>>;

export type Argument = {
  name: string;
  required: boolean;
  choices?: readonly string[];
  help: string;
};

/** Flags are true or absent; what may be repeated is a list. */
export type Values<O extends Options> = {
  [Name in keyof O]: O[Name] extends { repeated: true }
    ? string[]
    : O[Name] extends { value: string }
      ? string | undefined
      : boolean;
};

export type Invocation<O extends Options = Options> = {
  options: Values<O>;
  /** In the order in which they are declared; those left out at the end are absent. */
  arguments: readonly string[];
  terminal: Terminal;
  environment: NodeJS.ProcessEnv;
  /** Aborted by Ctrl-C. */
  signal: AbortSignal;
};

export type Command<O extends Options = Options> = {
  name: string;
  /** One line, without a full stop. */
  summary: string;
  /** What the summary cannot say. */
  description?: string;
  arguments: readonly Argument[];
  options: O;
  examples: readonly string[];
  /** The exit status: 0 for success. What goes wrong is thrown; `UsageError` means that it was called wrongly. */
  run(invocation: Invocation<O>): Promise<number>;
};

/** Ties the options to the values that `run` gets; the table then holds commands of any options. */
export const defineCommand = <const O extends Options>(command: Command<O>): Command =>
  command as unknown as Command;

/** The command was called wrongly: exit status 2, with a pointer to the help. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A failure that its message explains: exit status 1, no stack trace. */
export class CliError extends Error {
  override readonly name = 'CliError';
}

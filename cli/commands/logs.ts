import { clusterOptions } from '../cluster-options.ts';
import { defineCommand, UsageError } from '../command.ts';

const steps = ['build', 'activate', 'resolve', 'reset'] as const;

export const logs = defineCommand({
  name: 'logs',
  summary: 'print what a step printed on a host',
  description:
    "Logs in to the host as the operator does, with the key of the NixNode's Secret, which the kubeconfig's user\n" +
    'must be allowed to read.',
  arguments: [
    { name: 'NODE', required: true, help: 'name of a NixNode' },
    { name: 'STEP', required: false, choices: steps, help: 'which step; default: build' },
  ],
  options: {
    ...clusterOptions,
    lines: { value: 'N', help: 'how many of the last lines; default: 100, at most 10000' },
  },
  examples: ['logs alpha -n fleet', 'logs alpha activate --lines 500 -n fleet'],
  async run({ arguments: [name, step = 'build'], options, terminal, signal }) {
    const lines = linesOf(options.lines ?? '100');
    const { connect, getNode } = await import('../connect.ts');
    const { readHostLog } = await import('../host-log.ts');
    const { printable } = await import('../terminal.ts');
    await using connection = connect(options);
    const node = await getNode(connection, name!, signal);
    const text = await readHostLog(connection, node, { what: step, lines }, signal);
    if (text === '') terminal.err(`firn: ${name} has no log of ${step}`);
    else terminal.out(printable(text.trimEnd()));
    return 0;
  },
});

function linesOf(text: string): number {
  const lines = Number(text);
  if (/^\d{1,5}$/.test(text) && lines >= 1 && lines <= 10_000) return lines;
  throw new UsageError(`--lines is a number from 1 to 10000, not ${JSON.stringify(text)}`);
}

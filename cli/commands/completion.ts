import { defineCommand } from '../command.ts';
import { completionScript, type Shell, shells } from '../completion.ts';

export const completion = defineCommand({
  name: 'completion',
  summary: 'print a script that completes commands and options in a shell',
  arguments: [{ name: 'SHELL', required: true, choices: shells, help: 'bash, zsh or fish' }],
  options: {},
  examples: ['completion bash >~/.local/share/bash-completion/completions/firn', 'completion fish | source'],
  async run({ arguments: [shell], terminal }) {
    const { commands } = await import('../commands.ts');
    terminal.out(completionScript(shell as Shell, commands).trimEnd());
    return 0;
  },
});

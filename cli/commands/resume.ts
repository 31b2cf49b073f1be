import { clusterOptions } from '../cluster-options.ts';
import { defineCommand } from '../command.ts';

export const resume = defineCommand({
  name: 'resume',
  summary: 'forget what was taken back on a host, and deploy to it again',
  description:
    'A part of a release that was taken back is not tried again until it changes. After the cause was removed on\n' +
    'the host itself, or after the host was booted into an older system by hand, this lets Firn go on.',
  arguments: [{ name: 'NODE', required: true, help: 'name of a NixNode' }],
  options: clusterOptions,
  examples: ['resume alpha -n fleet'],
  async run({ arguments: [name], options, terminal, signal }) {
    const { connect, getNode } = await import('../connect.ts');
    const { annotateNode } = await import('../annotate.ts');
    await using connection = connect(options);
    const node = await getNode(connection, name!, signal);
    const wish = { 'firn.dev/resume': new Date().toISOString(), 'firn.dev/rollback': null };
    await annotateNode(connection, node, wish, signal);
    terminal.out(`nixnode/${name} goes on; firn status ${name} shows how`);
    return 0;
  },
});

import { clusterOptions } from '../cluster-options.ts';
import { CliError, defineCommand } from '../command.ts';

export const rollback = defineCommand({
  name: 'rollback',
  summary: 'take back what runs on a host, to the release before',
  description:
    'What the release that runs changed is remembered as bad: it is not deployed again until it changes, or until\n' +
    'firn resume NODE.',
  arguments: [{ name: 'NODE', required: true, help: 'name of a NixNode' }],
  options: {
    ...clusterOptions,
    wait: { short: 'w', help: 'wait until the host runs the release before, and show how it goes' },
  },
  examples: ['rollback alpha -n fleet --wait'],
  async run({ arguments: [name], options, terminal, signal }) {
    const { connect, getNode } = await import('../connect.ts');
    const { annotateNode } = await import('../annotate.ts');
    await using connection = connect(options);
    const node = await getNode(connection, name!, signal);
    const release = node.status?.release?.current;
    if (release === undefined)
      throw new CliError(`no release of Firn runs on ${name}: there is nothing to take back`);
    if (node.status?.release?.previous === undefined) {
      throw new CliError(`${release} is the first release of Firn on ${name}: there is none before it`);
    }
    await annotateNode(connection, node, { 'firn.dev/rollback': release }, signal);
    terminal.out(`nixnode/${name}: release ${release} is to be taken back`);
    if (!options.wait) return 0;
    const { waitForRollback } = await import('../rollback-progress.ts');
    await waitForRollback(connection, node, release, terminal, signal);
    return 0;
  },
});

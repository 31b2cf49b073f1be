import { clusterOptions } from '../cluster-options.ts';
import { defineCommand } from '../command.ts';

export const status = defineCommand({
  name: 'status',
  summary: 'say how hosts are, what they wait for and what to do',
  arguments: [{ name: 'NODE', required: false, help: 'name of a NixNode; without it, all are listed' }],
  options: {
    ...clusterOptions,
    'all-namespaces': { short: 'A', help: 'list the nodes of all namespaces' },
  },
  examples: ['status', 'status -A', 'status alpha -n fleet'],
  async run({ arguments: [name], options, terminal, signal }) {
    const { connect, getNode } = await import('../connect.ts');
    await using connection = connect(options);
    if (name !== undefined) {
      const { describeNode } = await import('../describe-node.ts');
      const node = await getNode(connection, name, signal);
      terminal.out(describeNode(node, Date.now(), terminal));
      return 0;
    }
    const { listNodes } = await import('../list-nodes.ts');
    const namespace = options['all-namespaces'] ? undefined : connection.namespace;
    await listNodes(connection, namespace, terminal, signal);
    return 0;
  },
});

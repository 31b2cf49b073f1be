import { isNotFound } from '../controllers/lib/kube/kube-error.ts';
import { NixNode } from '../crds/index.ts';
import { CliError } from './command.ts';
import type { Connection } from './connect.ts';
import { nodeTable } from './node-table.ts';
import type { Terminal } from './terminal.ts';

/** More pages than that are not for a screen. */
const pages = 100;

/** Prints a table of the nodes of one namespace, or of all. */
export async function listNodes(
  { client }: Connection,
  namespace: string | undefined,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<void> {
  const nodes: NixNode[] = [];
  let next = '';
  for (let page = 0; page < pages; page++) {
    const options = { namespace, limit: 500, continue: next, signal, deadlineMs: 30_000 };
    const list = await client.list(NixNode, options).catch((error: unknown) => {
      if (isNotFound(error))
        throw new CliError('the cluster does not know NixNodes: Firn is not installed there');
      throw error;
    });
    nodes.push(...list.items.map((item) => NixNode.parse(item)));
    next = list.continue;
    if (next === '') break;
  }
  if (nodes.length === 0)
    terminal.err(`no NixNodes in ${namespace === undefined ? 'any namespace' : namespace}`);
  else terminal.out(nodeTable(nodes, namespace === undefined ? 'namespaced' : 'one', terminal));
}

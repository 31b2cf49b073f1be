import { NixNode } from '../crds/index.ts';
import { CliError } from './command.ts';
import type { Connection } from './connect.ts';

/** Sets annotations of a NixNode that is still the one that was read; null takes one away. */
export async function annotateNode(
  { client }: Connection,
  node: NixNode,
  annotations: Record<string, string | null>,
  signal: AbortSignal,
): Promise<void> {
  const { namespace = '', name, uid } = node.metadata;
  const patched = await client.mergePatch(
    NixNode,
    { namespace, name },
    { metadata: { annotations, uid } },
    { signal, deadlineMs: 15_000 },
  );
  if (patched.metadata.uid !== uid) throw new CliError(`nixnode/${name} was replaced meanwhile`);
}

import type { NixNode } from '../crds/index.ts';
import { readyOf, waitsFor } from './node-words.ts';
import { allPrintable, type Terminal } from './terminal.ts';

/** Pure but for the colours: a line a node, and what each one waits for. */
export function nodeTable(
  untrusted: readonly NixNode[],
  namespaces: 'one' | 'namespaced',
  { style }: Pick<Terminal, 'style'>,
): string {
  const nodes = allPrintable(untrusted);
  const header = ['NAME', 'READY', 'STATUS', 'RELEASE', 'NIXOS', 'WAITS FOR'];
  const rows = nodes.map((node) => [
    node.metadata.name,
    readyOf(node)?.status ?? 'Unknown',
    node.status?.summary ?? '',
    node.status?.release?.current ?? '',
    node.status?.nixosVersion ?? '',
    waitsFor(node) ?? '',
  ]);
  const table = [header, ...rows.map((row) => row.map(firstLine))];
  const whole =
    namespaces === 'one'
      ? table
      : table.map((row, at) => [at === 0 ? 'NAMESPACE' : (nodes[at - 1]!.metadata.namespace ?? ''), ...row]);
  const ready = whole[0]!.indexOf('READY');
  const widths = whole[0]!.map((_, column) => Math.max(...whole.map((row) => row[column]!.length)));
  return whole
    .map((row, at) =>
      row
        .map((cell, column) => {
          const padded = column === row.length - 1 ? cell : cell.padEnd(widths[column]!);
          return at > 0 && column === ready ? style(colourOf(cell), padded) : padded;
        })
        .join('   ')
        .trimEnd(),
    )
    .join('\n');
}

const colourOf = (ready: string) => (ready === 'True' ? 'green' : ready === 'False' ? 'red' : 'yellow');

/** A table has one line a node; `firn status NODE` has the rest. */
function firstLine(text: string): string {
  const line = text.split('\n', 1)[0]!;
  return line.length > 90 ? `${line.slice(0, 89)}…` : line;
}

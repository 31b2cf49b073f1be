/** What `firn mesh status` says of one mesh. Pure but for the colours. */
import type { WireguardMesh } from '../crds/index.ts';
import { age } from './age.ts';
import { allPrintable, type Terminal } from './terminal.ts';

export function describeMesh(
  untrusted: WireguardMesh,
  now: number,
  { style }: Pick<Terminal, 'style'>,
): string {
  const { metadata, status } = allPrintable(untrusted);
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  const summary = style(
    ready?.status === 'True' ? 'green' : 'red',
    status?.summary ?? 'nothing is known yet',
  );
  const connected = status?.connected === undefined ? '' : `, ${status.connected} nodes connected`;
  const keys = status?.epoch === undefined ? '' : `, keys of epoch ${status.epoch}`;
  const { rotation } = status ?? {};
  return [
    `${metadata.namespace}/${metadata.name}: ${summary}${connected}${keys}`,
    ...(ready?.status === 'False' && ready.message ? [`  ${ready.message}`] : []),
    ...(rotation ? [`  Rotation to keys of epoch ${rotation.epoch}: ${rotation.stage}`] : []),
    ...(rotation?.waitsFor ? [`  Waits: ${rotation.waitsFor}`] : []),
    ...pairLines(status, now),
  ].join('\n');
}

function pairLines(status: WireguardMesh['status'], now: number): string[] {
  const pairs = status?.pairs ?? [];
  if (pairs.length === 0) return [];
  const ago = (instant: string | undefined) =>
    instant === undefined ? 'never' : `${age(now - Date.parse(instant))} ago`;
  const seen = Date.parse(status?.pairsAt ?? '') || now;
  const rows = [
    ['PAIR', 'STATE', 'HANDSHAKE', 'RECEIVED', 'SENT'],
    ...pairs.map(({ a, b, state, lastHandshake, receivedBytes, sentBytes }) => [
      `${a} ${b}`,
      state,
      ago(lastHandshake),
      bytes(receivedBytes),
      bytes(sentBytes),
    ]),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const down = (status?.down ?? []).map(({ a, b, lookAt }) => `  ${a} ${b}: look at ${lookAt}`);
  return [
    `  As of ${age(now - seen)} ago, the worst first:`,
    ...rows.map((row) =>
      `  ${row.map((cell, column) => cell.padEnd(widths[column]!)).join('   ')}`.trimEnd(),
    ),
    ...down,
  ];
}

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

function bytes(count: number): string {
  const step = Math.min(units.length - 1, count < 1 ? 0 : Math.floor(Math.log2(count) / 10));
  return `${step === 0 ? count : (count / 1024 ** step).toFixed(1)} ${units[step]}`;
}

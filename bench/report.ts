/** Results as the Markdown that `bench/README.md` holds between its marks. Pure. */
import type { CertificateRate } from './certificates/run.ts';
import type { Latency } from './latency/run.ts';
import type { Machine, Results } from './results.ts';
import type { Measured } from './runtime/run.ts';

const marks = { begin: '<!-- results: filled in by npm run bench -->', end: '<!-- /results -->' };

/** `text` with new results; throws where it has no marks. */
export function fillIn(text: string, results: Partial<Results>): string {
  const from = text.indexOf(marks.begin);
  const to = text.indexOf(marks.end);
  if (from === -1 || to < from) throw new Error('there is no place for results between marks');
  return `${text.slice(0, from + marks.begin.length)}\n\n${reportOf(results)}\n${text.slice(to)}`;
}

export function reportOf({ runtime, latency, memory, mesh, certificates }: Partial<Results>): string {
  const parts = [
    runtime && [
      '### Runtime',
      `${onMachine(runtime)} ${number(runtime.settings.objects)} objects, ${runtime.settings.workers} workers; means of ${rounds(runtime.settings.rounds)}.`,
      runtimeTable(runtime.measured),
    ],
    latency && ['### Latency', onMachine(latency), latencyTable(latency.measured)],
    memory && ['### Memory', onMachine(memory), memoryTable(memory)],
    mesh && ['### Mesh', onMachine(mesh), meshTable(mesh)],
    certificates && ['### Certificates', onMachine(certificates), certificateTable(certificates.measured)],
  ];
  return parts.flatMap((part) => (part ? [`${part.join('\n\n')}\n`] : [])).join('\n');
}

const rounds = (count: number): string => (count === 1 ? 'one round' : `${count} rounds`);

const onMachine = ({ machine, node }: { machine: Machine; node: string }): string =>
  `${machine.model}, ${machine.cpus} CPUs, ${machine.memoryGiB} GiB; Node ${node.replace(/^v/, '')}.`;

function runtimeTable(measured: readonly Measured[]): string {
  const rows = [...new Set(measured.map(({ contestant }) => contestant))].map((contestant) => {
    const own = measured.filter((one) => one.contestant === contestant);
    const mean = (value: (one: Measured) => number) =>
      own.reduce((sum, one) => sum + value(one), 0) / own.length;
    return {
      contestant,
      rate: mean((one) => one.objectsPerSecond),
      cpu: mean((one) => one.cpuMsPerObject),
      apiserver: mean((one) => one.apiserverCpuSeconds),
      rss: mean((one) => one.peakRssMiB),
    };
  });
  const peer = rows.find(({ contestant }) => contestant !== 'firn');
  return markdown(
    ['', 'objects/s', 'of the peer', 'CPU ms an object', "API server's CPU s", 'peak RSS MiB'],
    rows.map(({ contestant, rate, cpu, apiserver, rss }) => [
      contestant,
      number(rate),
      peer ? `${number(rate / peer.rate, 2)} ×` : 'not here',
      number(cpu, 2),
      number(apiserver, 1),
      number(rss),
    ]),
  );
}

const latencyTable = (measured: readonly Latency[]): string =>
  markdown(
    ['idle nodes', 'changed by', 'connection', 'samples', 'p50 ms', 'p90 ms', 'p99 ms', 'max ms'],
    measured.map((one) => [
      number(one.nodes),
      one.by === 'kubectl' ? '`kubectl apply`, its process included' : 'its request alone',
      one.connection === 'open' ? 'open' : 'new: login first',
      number(one.samples),
      ...[one.p50Ms, one.p90Ms, one.p99Ms, one.maxMs].map((ms) => number(ms, 1)),
    ]),
  );

const memoryTable = ({ measured }: Results['memory']): string =>
  markdown(
    ['nodes', 'RSS MiB', 'peak RSS MiB', 'live heap MiB', 'KiB a node', 'connections', 'all Ready after s'],
    measured.map((one) => [
      number(one.nodes),
      number(one.rssMiB),
      number(one.peakRssMiB),
      number(one.heapMiB, 1),
      one.nodes === 0 ? '' : number(one.kibPerNode, 1),
      number(one.connections),
      one.nodes === 0 ? '' : number(one.growSeconds),
    ]),
  );

const meshTable = ({ measured }: Results['mesh']): string =>
  markdown(
    ['nodes', 'planning, ms a node', 'for all, s', 'sent, KiB a node', 'to all, MiB', 'the object, KiB'],
    measured.map((one) => [
      number(one.nodes),
      number(one.planMsANode, 2),
      number(one.planSeconds, 2),
      number(one.sentKiBANode, 1),
      number(one.sentMiB, 1),
      number(one.statusKiB),
    ]),
  );

/** A row for each who makes them, a column for each number of them. */
function certificateTable(measured: readonly CertificateRate[]): string {
  const counts = [...new Set(measured.map(({ certificates }) => certificates))];
  const makers = [...new Set(measured.map(({ maker, algorithm }) => `${algorithm} | ${maker}`))];
  return markdown(
    ['keys', 'made by', ...counts.map((count) => `of ${number(count)}, a second`)],
    makers.map((maker) => [
      ...maker.split(' | '),
      ...counts.map((count) => {
        const row = measured.find(
          (one) => one.certificates === count && `${one.algorithm} | ${one.maker}` === maker,
        );
        return row ? number(row.perSecond) : '';
      }),
    ]),
  );
}

const number = (value: number, digits = 0): string =>
  value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });

/** Columns of numbers to the right, words to the left. */
function markdown(names: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const isNumber = (cell = '') => /^([\d,.]+( ×)?)?$/.test(cell);
  const rule = names.map((_, column) => (rows.every((row) => isNumber(row[column])) ? '---:' : '---'));
  return [names, rule, ...rows].map(line).join('\n');
}

import { readFileSync } from 'node:fs';

/** Of one process, threads included; its children are not. */
export type Usage = { cpuSeconds: number; rssMiB: number; peakRssMiB: number };

/** Linux counts CPU time in ticks of this length (`getconf CLK_TCK`; 100 on every architecture that Node runs on). */
const ticksPerSecond = 100;

/** From /proc (proc(5)); throws when the process is gone. */
export function usageOf(pid: number): Usage {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The second field is the name in parentheses and may hold anything; what follows is numbers.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const mebibytes = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1024;
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond,
    rssMiB: mebibytes('VmRSS'),
    peakRssMiB: mebibytes('VmHWM'),
  };
}

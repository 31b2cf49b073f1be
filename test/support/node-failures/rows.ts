import type { FailureRow } from './play.ts';
import { hostRows } from './rows-host.ts';
import { inputRows } from './rows-inputs.ts';
import { refusedRows } from './rows-refused.ts';
import { releaseRows } from './rows-release.ts';
import { wayRows } from './rows-way.ts';

export type { FailureRow } from './play.ts';
export const failureRows: readonly FailureRow[] = [
  ...wayRows,
  ...hostRows,
  ...inputRows,
  ...releaseRows,
  ...refusedRows,
];

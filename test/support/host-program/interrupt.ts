/** Death at the named points of a program that `killableProgram` made: of the process, or of the whole host. */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TestHost } from '../hosts/test-host.ts';
import { waitFor } from '../wait.ts';

export type Death = 'kill' | 'cut';

const folder = '/var/lib/firn-test';

/** Whoever comes to the point next dies there, once. What was armed before is forgotten. */
export async function arm(host: TestHost, how: Death, point: string): Promise<void> {
  await host.run(`mkdir -p ${folder}; rm -f ${folder}/*; : >${folder}/${how}-${point}`);
}

/** Waits until the point was reached; with `cut`, for the power to be back. */
export async function reached(host: TestHost, how: Death, point: string): Promise<void> {
  const armed = join(host.root, folder, `${how}-${point}`);
  await waitFor(`${point} to be reached`, () => !existsSync(armed), { withinMs: 40_000, everyMs: 50 });
  if (how === 'kill') return;
  await host.powerCut();
  rmSync(join(host.root, folder, 'cut-now'), { force: true });
  await host.powerOn();
}

/** Does a step that dies at a point; how it fails does not matter. */
export async function interrupted(
  host: TestHost,
  how: Death,
  point: string,
  step: () => Promise<unknown>,
): Promise<void> {
  await arm(host, how, point);
  const work = step().catch(() => undefined);
  await reached(host, how, point);
  await work;
}

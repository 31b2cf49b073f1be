/**
 * Runs in every test file, before its own hooks. Hooks run in the order of their definition, so this one still finds
 * running what the file's own `afterAll` stops.
 */
import { arm, findLeaksAtLast } from './registry.ts';

arm();

afterAll(async () => {
  const found = await findLeaksAtLast();
  if (found.length > 0) throw new Error(`a secret got out:\n${found.join('\n')}`);
}, 240_000);

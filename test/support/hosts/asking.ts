import { waitFor } from '../wait.ts';
import type { TestHost } from './test-host.ts';

/** What a test asks a host, by scripts that run there. */
export type Asking = {
  /** What the script printed, without blanks at the ends. */
  run(script: string, input?: string): Promise<string>;
  attempt(script: string): Promise<{ stdout: string; stderr: string; code: number }>;
  /** Waits until a script succeeds; what it said last is part of the error. */
  eventually(what: string, script: string, withinMs: number): Promise<string>;
};

export function askingOf(host: TestHost): Asking {
  const attempt = (script: string) => host.run(script, { allowFailure: true });
  return {
    run: async (script, input = '') => (await host.run(script, { input })).stdout.trim(),
    attempt,
    eventually: async (what, script, withinMs) => {
      let last = { stdout: '', stderr: '', code: 0 };
      const ask = async () => {
        last = await attempt(script);
        return last.code === 0;
      };
      await waitFor(`${host.name}: ${what}`, ask, { withinMs, everyMs: 250, otherwise: () => last });
      return last.stdout.trim();
    },
  };
}

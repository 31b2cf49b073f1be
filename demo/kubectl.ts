import { spawn } from 'node:child_process';

/** A command that anybody could have typed, run for real. */
export type Kubectl = (args: readonly string[], input?: string) => Promise<string>;

/** Returns what kubectl printed; throws what it complained about. */
export const kubectlWith =
  (program: string, kubeconfig: string, cacheDir: string, signal: AbortSignal): Kubectl =>
  (args, input) =>
    new Promise((resolve, reject) => {
      const child = spawn(program, [...args, `--cache-dir=${cacheDir}`], {
        env: { PATH: process.env.PATH ?? '', HOME: cacheDir, KUBECONFIG: kubeconfig },
        timeout: 60_000,
        signal,
      });
      let stdout = '';
      let stderr = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        stdout += text;
      });
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        stderr += text;
      });
      child.stdin.on('error', () => {}); // a kubectl that ends early does not read its input
      child.stdin.end(input ?? '');
      child.once('error', reject);
      child.once('close', (code) =>
        code === 0 ? resolve(stdout) : reject(new Error(`kubectl ${args[0]}: ${stderr.trim()}`)),
      );
    });

import { type Entry, entryText } from './kubeconfig-entry.ts';
import { mergeInto, usualFile, writeAlone } from './kubeconfig-file.ts';
import type { Terminal } from './terminal.ts';

/** To where it is asked for. What is said about a file has nothing of what is in it. */
export function deliver(
  entry: Entry,
  { merge, output }: { merge: boolean; output: string | undefined },
  terminal: Terminal,
  environment: NodeJS.ProcessEnv,
): void {
  if (merge) {
    const file = mergeInto(usualFile(environment), entry);
    terminal.err(`firn: added to ${file}; use it with: kubectl --context ${entry.name}`);
  } else if (output !== undefined) {
    const file = writeAlone(output, entry);
    terminal.err(`firn: written to ${file}; use it with: kubectl --kubeconfig ${file}`);
  } else {
    terminal.out(entryText(entry).trimEnd());
  }
}

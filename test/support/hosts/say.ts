/** A line for whoever waits. Not the console: jest wraps each line of that in ten of its own. */
export function say(text: string): void {
  process.stderr.write(`firn: ${text}\n`);
}

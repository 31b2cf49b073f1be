/** What the tour looks like. Colours only where a terminal shows them and NO_COLOR (no-color.org) is not set. */
const colourful = process.stdout.isTTY === true && !process.env.NO_COLOR;
const paint = (code: number) => (text: string) => (colourful ? `\x1b[${code}m${text}\x1b[0m` : text);

const bold = paint(1);
const dim = paint(2);
const red = paint(31);
const green = paint(32);
const cyan = paint(36);

const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};
const indented = (text: string, by: string): string => text.trimEnd().replace(/^/gm, by);

export const terminal = {
  title: (text: string) => print(`\n${bold(text)}`),
  say: (text: string) => print(indented(text, '  ')),
  command: (text: string) => print(`\n  ${cyan(`$ ${text}`)}`),
  output: (text: string) => print(indented(text, '  ')),
  /** A manifest or a module, as a file that the reader could have written. */
  listing: (text: string) => print(dim(indented(text, '    '))),
  seen: (text: string) => print(`  ${green('✓')} ${text}`),
  failed: (text: string) => print(`  ${red('✗')} ${text}`),
};
export type Terminal = typeof terminal;

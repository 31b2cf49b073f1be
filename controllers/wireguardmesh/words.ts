/** Lists in sentences: a few, and how many more. */
const shown = 5;

export function some(words: readonly string[], separator = ', '): string {
  const rest = words.length - shown;
  return `${words.slice(0, shown).join(separator)}${rest > 0 ? ` and ${rest} more` : ''}`;
}

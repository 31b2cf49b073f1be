/** Enough to see what is the matter; a list of a thousand would hide it. */
const shown = 5;

/** The first few of what a message is about, and how many there are beside them. */
export function several(items: readonly string[], separator: ', ' | '; ' = ', '): string {
  const first = items.slice(0, shown).join(separator);
  return items.length > shown ? `${first}${separator}and ${items.length - shown} more` : first;
}

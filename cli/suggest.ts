/** The candidate that was probably meant, or null: one that begins so, else one at most two slips away. */
export function suggestion(typed: string, candidates: readonly string[]): string | null {
  const begins = candidates.filter((candidate) => typed.length >= 2 && candidate.startsWith(typed));
  if (begins.length === 1) return begins[0]!;
  const tolerated = typed.length <= 3 ? 1 : 2;
  const nearest = candidates
    .map((candidate) => ({ candidate, slips: distance(typed, candidate) }))
    .sort((a, b) => a.slips - b.slips)[0];
  return nearest !== undefined && nearest.slips <= tolerated ? nearest.candidate : null;
}

/** Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment). */
function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = rows[i - 1]![j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = swapped ? rows[i - 2]![j - 2]! + 1 : Number.POSITIVE_INFINITY;
      row.push(Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, substitution, swap));
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}

/** Versions of Kubernetes as its components say them. Pure. */

const pattern = /^v(\d{1,4})\.(\d{1,4})\.(\d{1,4})([-+][0-9A-Za-z.+-]{1,40})?$/;

/** The lowest: what all of the cluster has reached. Words that are no version are of nobody's. */
export function lowestVersion(versions: readonly string[]): string | undefined {
  const known = versions.flatMap((version) => {
    const parts = pattern.exec(version);
    return parts ? [{ version, numbers: parts.slice(1, 4).map(Number) }] : [];
  });
  known.sort((a, b) => compare(a.numbers, b.numbers) || (a.version < b.version ? -1 : 1));
  return known[0]?.version;
}

const compare = (a: readonly number[], b: readonly number[]): number =>
  a.map((number, index) => number - (b[index] ?? 0)).find((difference) => difference !== 0) ?? 0;

/**
 * Whether resourceVersion `a` is later than `b`. Kubernetes guarantees that those of one resource are
 * decimal integers in the order of writing (KEP-5504); 64 bits do not fit a number, so digits are compared.
 */
export function isNewer(a: string, b: string): boolean {
  if (!decimal.test(a) || !decimal.test(b)) return a !== b;
  return a.length === b.length ? a > b : a.length > b.length;
}

const decimal = /^(0|[1-9][0-9]*)$/;

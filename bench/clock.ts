/**
 * Milliseconds of CLOCK_MONOTONIC (clock_gettime(2)), which all processes of a machine share: a time taken in one can be
 * subtracted from a time taken in another.
 */
export const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6;

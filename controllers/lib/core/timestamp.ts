const last = Date.UTC(9999, 11, 31, 23, 59, 59);

/**
 * As status writes instants: RFC 3339 in whole seconds, UTC. `ms` since the epoch; the nearest instant that can be
 * written, where a clock is beyond.
 */
export const timestamp = (ms: number): string =>
  new Date(Math.min(Math.max(ms, 0), last)).toISOString().replace(/\.\d+Z$/, 'Z');

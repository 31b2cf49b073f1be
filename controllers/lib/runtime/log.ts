import { type DestinationStream, type Logger, type LoggerOptions, pino } from 'pino';

/**
 * Errors whose message was written by us for people to read. Of any other the message may quote what it
 * failed on (`JSON.parse` does, so do Node's argument checks, and client-node's carry bodies and headers).
 */
const ownErrors = new Set([
  'ReconcileError',
  'KubeError',
  'HostError',
  'MalformedLine',
  'LeadershipLost',
  'UnreachableError',
]);
/** Messages that the engine itself makes up of names in our source; with a `code` they are Node's instead. */
const engineErrors = new Set<unknown>([TypeError, ReferenceError, RangeError]);

type Loose = { name?: unknown; code?: unknown; reason?: unknown; status?: unknown; message?: unknown };

/** What of an error reaches the log. */
export function shownError(error: unknown, depth = 0): Record<string, unknown> {
  if (!(error instanceof Error)) return { name: typeof error };
  const { code, reason, status } = error as Loose;
  const own = ownErrors.has(error.name);
  const engine = engineErrors.has(error.constructor) && code === undefined;
  return {
    name: error.name,
    ...(isWord(code) ? { code } : {}),
    ...(own && isWord(reason) ? { reason } : {}),
    ...(own && isWord(status) ? { status } : {}),
    ...(own || engine ? { message: error.message } : {}),
    ...(own ? {} : { at: framesOf(error) }),
    ...(error.cause !== undefined && depth < 3 ? { cause: shownError(error.cause, depth + 1) } : {}),
  };
}

const isWord = (value: unknown): boolean =>
  typeof value === 'number' || (typeof value === 'string' && /^[A-Za-z0-9_]{1,64}$/.test(value));

/** Where it was thrown; the stack's first lines repeat the message and are left out. */
const framesOf = (error: Error): string[] =>
  (error.stack ?? '')
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 8)
    .map((line) => line.trim());

/** JSON lines, on standard output unless told otherwise. `Sealed` values print as `[sealed]` by themselves. */
export function createLogger(options: { level: string; destination?: DestinationStream }): Logger {
  const settings: LoggerOptions = {
    level: options.level,
    base: {},
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (level) => ({ level }) },
    serializers: { err: (error: unknown) => shownError(error), error: (error: unknown) => shownError(error) },
    // pino would serialize an Error that is logged bare with its own serializer; this is the same door.
    errorKey: 'err',
  };
  return options.destination ? pino(settings, options.destination) : pino(settings);
}

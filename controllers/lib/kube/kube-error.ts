import { z } from 'zod';
import { clip } from '../core/clip.ts';
import { Sealed } from '../core/sealed.ts';

const text = z.string().optional().catch(undefined);
const number = z.number().optional().catch(undefined);
const cause = z.object({ field: text, reason: text, message: text });

/** `Status` of the Kubernetes API, as far as it is read. In a target cluster, webhooks and others write in it what they like. */
const apiStatus = z.object({
  reason: text,
  code: number,
  message: text,
  details: z
    .object({ retryAfterSeconds: number, causes: z.array(cause).optional().catch(undefined) })
    .optional()
    .catch(undefined),
});
export type ApiStatus = z.output<typeof apiStatus>;

/** Messages end up in statuses, which are refused where they are too large. */
const maxReason = 128;
const maxField = 256;

/**
 * A call to the Kubernetes API that failed. The server's own message and body are left out on purpose:
 * a refusal quotes the values that it refuses, and those may be secrets. Which fields were refused is kept.
 */
export class KubeError extends Error {
  override readonly name = 'KubeError';
  /** HTTP status; 0 when there was no answer at all. */
  readonly status: number;
  /** Reason of the API's `Status` (`Conflict`, `NotFound`, …), or the code of the failed connection. */
  readonly reason: string;
  /** Why there was no connection, where we know in words for users. */
  readonly words: string | undefined;
  /** How long the server asks to be left alone, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** What the server said, all of it: for those alone who know that the call was about nothing secret. */
  readonly answer: Sealed<string>;

  constructor(
    call: string,
    status: number,
    reason: string,
    extra: { fields?: string[]; retryAfterMs?: number; words?: string; answer?: string } = {},
  ) {
    const fields = extra.fields?.length ? ` (${extra.fields.join(', ')})` : '';
    super(`${call}: ${status === 0 ? '' : `${status} `}${extra.words ?? reason}${fields}`);
    this.words = extra.words;
    this.status = status;
    this.reason = reason;
    this.retryAfterMs = extra.retryAfterMs;
    this.answer = new Sealed(extra.answer ?? '');
  }
}

/** No way leads to the server. The message is ours: for users, the same for the same cause, without secrets. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
  readonly code = 'Unreachable';
}

/** From an answer with an error's HTTP status. `body` need not be a `Status`: proxies answer with HTML. */
export function answeredError(call: string, status: number, body: string): KubeError {
  const said = parseStatus(body);
  const seconds = said.details?.retryAfterSeconds;
  const fields = (said.details?.causes ?? []).flatMap(({ field }) => (field ? [clip(field, maxField)] : []));
  const reason = clip(said.reason ?? '', maxReason) || defaultReasons[status] || 'Unknown';
  return new KubeError(call, status, reason, {
    fields: [...new Set(fields)].slice(0, 10),
    answer: body,
    ...(seconds ? { retryAfterMs: seconds * 1000 } : {}),
  });
}

/** From a connection that failed or was aborted; undici and node:net put what is stable into `code`. */
export function unansweredError(call: string, cause: unknown): KubeError {
  if (cause instanceof KubeError) return cause;
  if (cause instanceof UnreachableError)
    return new KubeError(call, 0, 'Unreachable', { words: cause.message });
  const { code, name } = cause as { code?: unknown; name?: unknown };
  const reason = name === 'AbortError' ? 'Aborted' : typeof code === 'string' ? code : 'ConnectionFailed';
  return new KubeError(call, 0, reason);
}

export const isNotFound = (error: unknown): boolean => error instanceof KubeError && error.status === 404;
export const isConflict = (error: unknown): boolean => error instanceof KubeError && error.status === 409;
/** The resourceVersion or the continue token is too old for the server. */
export const isGone = (error: unknown): boolean => error instanceof KubeError && error.status === 410;

const defaultReasons: Record<number, string> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  409: 'Conflict',
  410: 'Gone',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

export function parseStatus(body: string): ApiStatus {
  try {
    return apiStatus.parse(JSON.parse(body));
  } catch {
    return {};
  }
}

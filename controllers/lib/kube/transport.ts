import type { Readable } from 'node:stream';
import { request } from 'undici';
import { answeredError, KubeError, unansweredError } from './kube-error.ts';
import type { Session, Sessions } from './session.ts';

export type Call = {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  path: string;
  query?: Record<string, string>;
  body?: unknown;
  contentType?: string;
  accept?: string;
  signal: AbortSignal;
  /** For the answer's head, and again between any two pieces of its body; milliseconds. */
  deadlineMs?: number;
};

const defaultDeadlineMs = 30_000;
const userAgent = 'firn';

/** One JSON answer. */
export async function sendForJson(sessions: Sessions, call: Call): Promise<unknown> {
  const body = await send(sessions, call, call.deadlineMs ?? defaultDeadlineMs);
  const text = await textOf(body, call);
  try {
    return JSON.parse(text);
  } catch {
    throw new KubeError(label(call), 0, 'MalformedAnswer');
  }
}

/** An answer that goes on: only its head has a deadline, what follows is the caller's to watch over. */
export const sendForStream = (sessions: Sessions, call: Call): Promise<Readable> => send(sessions, call, 0);

async function send(sessions: Sessions, call: Call, bodyTimeout: number): Promise<Readable> {
  for (let attempt = 0; ; attempt++) {
    const { statusCode, body } = await sendOnce(sessions, call, bodyTimeout);
    if (statusCode < 400) return body;
    const error = answeredError(label(call), statusCode, await textOf(body, call));
    if (statusCode !== 401) throw error;
    // Refused before anything was done, so any method may be repeated: once, with what is on disk now.
    sessions.doubt();
    if (attempt > 0) throw error;
  }
}

async function sendOnce(sessions: Sessions, call: Call, bodyTimeout: number) {
  try {
    const session = await sessions.current();
    return await request(urlOf(session, call), {
      method: call.method,
      dispatcher: session.dispatcher,
      headers: headersOf(session, call),
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
      signal: call.signal,
      headersTimeout: call.deadlineMs ?? defaultDeadlineMs,
      bodyTimeout,
    });
  } catch (cause) {
    const error = unansweredError(label(call), cause);
    if (error.reason !== 'Aborted') sessions.doubt();
    throw error;
  }
}

async function textOf(body: Readable & { text?: () => Promise<string> }, call: Call): Promise<string> {
  try {
    return (await body.text?.()) ?? '';
  } catch (cause) {
    throw unansweredError(label(call), cause);
  }
}

function urlOf(session: Session, call: Call): string {
  const query = new URLSearchParams(call.query).toString();
  return `${session.server}${call.path}${query === '' ? '' : `?${query}`}`;
}

function headersOf(session: Session, call: Call): Record<string, string> {
  return {
    ...session.headers,
    accept: call.accept ?? 'application/json',
    'user-agent': userAgent,
    ...(call.body === undefined ? {} : { 'content-type': call.contentType ?? 'application/json' }),
  };
}

const label = (call: Call): string => `${call.method} ${call.path}`;

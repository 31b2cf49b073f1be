import type { Readable } from 'node:stream';
import { type Dispatcher, request } from 'undici';
import { answeredError, KubeError, unansweredError } from './kube-error.ts';
import type { Session, SessionSource } from './session.ts';

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
export async function sendForJson(sessions: SessionSource, call: Call): Promise<unknown> {
  const answer = await send(sessions, call, call.deadlineMs ?? defaultDeadlineMs);
  return parsed(await textOf(answer, call), call);
}

/** One answer: JSON where it says so, else text. */
export async function sendForAny(sessions: SessionSource, call: Call): Promise<unknown> {
  const answer = await send(sessions, call, call.deadlineMs ?? defaultDeadlineMs);
  const text = await textOf(answer, call);
  const isJson = /^application\/([a-z.-]+\+)?json\b/.test(String(answer.headers['content-type'] ?? ''));
  return isJson ? parsed(text, call) : text;
}

function parsed(text: string, call: Call): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new KubeError(label(call), 0, 'MalformedAnswer');
  }
}

/** An answer that goes on: only its head has a deadline, what follows is the caller's to watch over. */
export const sendForStream = async (sessions: SessionSource, call: Call): Promise<Readable> =>
  (await send(sessions, call, 0)).body;

type Answer = Pick<Dispatcher.ResponseData, 'statusCode' | 'headers' | 'body'> & {
  maxBytes: number | undefined;
};

async function send(sessions: SessionSource, call: Call, bodyTimeout: number): Promise<Answer> {
  for (let attempt = 0; ; attempt++) {
    const answer = await sendOnce(sessions, call, bodyTimeout);
    if (answer.statusCode < 400) return answer;
    const error = answeredError(label(call), answer.statusCode, await textOf(answer, call));
    if (answer.statusCode !== 401) throw error;
    // Refused before anything was done, so any method may be repeated: once, with what is on disk now.
    sessions.doubt();
    if (attempt > 0) throw error;
  }
}

async function sendOnce(sessions: SessionSource, call: Call, bodyTimeout: number): Promise<Answer> {
  try {
    const session = await sessions.current();
    const { statusCode, headers, body } = await request(urlOf(session, call), {
      method: call.method,
      dispatcher: session.dispatcher,
      headers: headersOf(session, call),
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
      signal: call.signal,
      headersTimeout: call.deadlineMs ?? defaultDeadlineMs,
      bodyTimeout,
    });
    return { statusCode, headers, body, maxBytes: session.maxBytes };
  } catch (cause) {
    const error = unansweredError(label(call), cause);
    if (error.reason !== 'Aborted') sessions.doubt();
    throw error;
  }
}

async function textOf({ body, maxBytes }: Answer, call: Call): Promise<string> {
  try {
    return maxBytes === undefined ? await body.text() : await bounded(body, maxBytes, call);
  } catch (cause) {
    throw unansweredError(label(call), cause);
  }
}

async function bounded(body: Readable, maxBytes: number, call: Call): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    // Leaving the loop closes the connection.
    if (bytes > maxBytes) throw new KubeError(label(call), 0, 'AnswerTooLarge');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
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

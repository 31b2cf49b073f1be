import type { Readable } from 'node:stream';
import type { RawObject } from '../kube/client.ts';
import { type ApiStatus, KubeError } from '../kube/kube-error.ts';

/** One line of a watch (apimachinery `WatchEvent`). */
export type WatchEvent =
  | { type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'; object: RawObject }
  | { type: 'ERROR'; error: KubeError };

/** A line that is no event: what the stream said cannot be trusted to be complete any more. */
export class MalformedLine extends Error {
  override readonly name = 'MalformedLine';
}

/** etcd refuses objects of more than 1.5 MiB; a line of this length is no event of any server. */
const maxLineBytes = 16 * 1024 * 1024;
const newline = 0x0a;

/** Cuts a watch's stream into events, chunk by chunk: all events of one chunk come together. */
export async function* watchEvents(stream: Readable): AsyncGenerator<WatchEvent[]> {
  let rest: Buffer[] = [];
  let restBytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    const end = chunk.lastIndexOf(newline);
    if (end === -1) {
      rest.push(chunk);
      restBytes += chunk.length;
      if (restBytes > maxLineBytes) throw new MalformedLine('a line without end');
      continue;
    }
    const complete = Buffer.concat([...rest, chunk.subarray(0, end)]).toString('utf8');
    rest = [chunk.subarray(end + 1)];
    restBytes = rest[0]!.length;
    yield complete
      .split('\n')
      .filter((line) => line !== '')
      .map(parseEvent);
  }
  // A rest without its newline was cut off by the end of the connection; the next watch tells it again.
}

const eventTypes = new Set(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK']);

function parseEvent(line: string): WatchEvent {
  let parsed: { type?: unknown; object?: RawObject & ApiStatus };
  try {
    parsed = JSON.parse(line);
  } catch {
    throw new MalformedLine('not JSON');
  }
  const { type, object } = parsed ?? {};
  if (type === 'ERROR') {
    return { type, error: new KubeError('watch', object?.code ?? 0, object?.reason ?? 'Unknown') };
  }
  const known = typeof type === 'string' && eventTypes.has(type);
  if (!known || typeof object?.metadata?.resourceVersion !== 'string')
    throw new MalformedLine('not a watch event');
  if (type !== 'BOOKMARK' && typeof object.metadata.name !== 'string')
    throw new MalformedLine('an object without name');
  return { type: type as 'ADDED', object };
}

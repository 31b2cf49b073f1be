/**
 * Writes again what is encrypted in the datastore. An update that changes nothing is written where the key that encrypts
 * is not the one that did: so contents never leave the API server, and doing it twice costs a read.
 */
import { isConflict, isGone, isNotFound } from '../lib/kube/kube-error.ts';
import { type Asked, pageOf, pathOfResource } from './live-lists.ts';
import type { Gate } from './machine.ts';

/** How far a rewriting is: kept in memory, since beginning anew is right as well. */
export type Rewriting = {
  /** What it is about: another stage of another rotation begins anew. */
  of: string;
  resources: readonly string[];
  done: number;
  /** Of the first resource; empty: from its beginning. */
  next: string;
  left: number | undefined;
};

/** What one visit does at most, so that others have their turn. */
const perVisit = 500;
const pageSize = 100;
const atOnce = 8;

/** One step of it. Open when nothing is left; `progress` is then forgotten by the caller. */
export async function rewriteSome(target: Asked, progress: Rewriting): Promise<Gate> {
  for (let done = 0; done < perVisit; ) {
    const [resource] = progress.resources;
    if (resource === undefined) return { open: true };
    const path = await pathOfResource(target, resource);
    if (path === undefined) {
      advance(progress);
      continue;
    }
    const page = await nextPage(target, path, progress);
    for (let at = 0; at < page.items.length; at += atOnce) {
      await Promise.all(page.items.slice(at, at + atOnce).map((item) => rewrite(target, path, item)));
    }
    done += page.items.length;
    progress.done += page.items.length;
    progress.left = page.left;
    progress.next = page.next;
    if (page.next === '') advance(progress);
  }
  if (progress.resources.length === 0) return { open: true };
  const left = progress.left === undefined ? '' : ` of ${progress.done + progress.left}`;
  return {
    open: false,
    waitsFor: `${progress.done}${left} ${progress.resources[0]} are written again`,
    recheckMs: 200,
  };
}

function advance(progress: Rewriting): void {
  progress.resources = progress.resources.slice(1);
  progress.next = '';
  progress.left = undefined;
}

/** A list that was forgotten by the server begins anew. */
async function nextPage(target: Asked, path: string, { next }: Rewriting) {
  const query = { limit: String(pageSize), ...(next && { continue: next }) };
  try {
    return await pageOf(target, path, query, 'metadata');
  } catch (error) {
    if (!next || !isGone(error)) throw error;
    return pageOf(target, path, { limit: String(pageSize) }, 'metadata');
  }
}

async function rewrite({ client, signal }: Asked, path: string, item: unknown): Promise<void> {
  const { namespace, name } = (item as { metadata?: { namespace?: string; name?: string } }).metadata ?? {};
  if (name === undefined) return;
  const [prefix, plural] = [path.slice(0, path.lastIndexOf('/')), path.slice(path.lastIndexOf('/') + 1)];
  const place = namespace ? `${prefix}/namespaces/${encodeURIComponent(namespace)}` : prefix;
  const url = `${place}/${plural}/${encodeURIComponent(name)}`;
  try {
    const contentType = 'application/merge-patch+json';
    const accept = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
    await client.raw('PATCH', url, { signal, body: {}, contentType, accept });
  } catch (error) {
    // Who else writes it, or takes it away, does what was to be done.
    if (isNotFound(error) || isConflict(error)) return;
    throw error;
  }
}

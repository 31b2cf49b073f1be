/** Lists of a target cluster, page by page. What is in them is somebody else's: nothing is relied on. */
import type { KubeClient } from '../lib/kube/client.ts';
import { isNotFound } from '../lib/kube/kube-error.ts';

export type Asked = { client: KubeClient; signal: AbortSignal };
export type ListPage = { items: unknown[]; next: string; left: number | undefined };

export async function pageOf(
  { client, signal }: Asked,
  path: string,
  query: Record<string, string>,
  holds: 'objects' | 'metadata' = 'objects',
): Promise<ListPage> {
  const accept = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';
  const list = (await client.raw('GET', path, {
    signal,
    query,
    ...(holds === 'metadata' && { accept }),
  })) as {
    items?: unknown[] | null;
    metadata?: { continue?: string; remainingItemCount?: number };
  };
  const { continue: next = '', remainingItemCount: left } = list?.metadata ?? {};
  return { items: Array.isArray(list?.items) ? list.items : [], next, left };
}

export async function allOf(
  target: Asked,
  path: string,
  query: Record<string, string> = {},
): Promise<unknown[]> {
  const items: unknown[] = [];
  for (let next = ''; ; ) {
    const page = await pageOf(target, path, { limit: '500', ...query, ...(next && { continue: next }) });
    items.push(...page.items);
    if (page.next === '') return items;
    next = page.next;
  }
}

/** Where all objects of `secrets`, or of `widgets.example.com`, are; undefined where there is no such resource. */
export async function pathOfResource(target: Asked, resource: string): Promise<string | undefined> {
  const [plural = '', ...group] = resource.split('.');
  if (!/^[a-z0-9-]+$/.test(plural) || !group.every((part) => /^[a-z0-9-]+$/.test(part))) return undefined;
  if (group.length === 0) return `/api/v1/${plural}`;
  try {
    const { client, signal } = target;
    const found = (await client.raw('GET', `/apis/${group.join('.')}`, { signal })) as {
      preferredVersion?: { version?: string };
    };
    const version = found.preferredVersion?.version;
    return version && `/apis/${group.join('.')}/${encodeURIComponent(version)}/${plural}`;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** All objects of an API server but Secrets, and the Secrets as what must be in no other. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { TestCluster } from '../cluster.ts';
import { type Answer, type RawApi, rawApi } from '../firn-api.ts';
import { secretsIn } from './documents.ts';
import { findIn } from './forms.ts';
import { keepSecret, type Place } from './registry.ts';

type Resource = { name: string; verbs: string[] };
type SecretObject = { metadata: { namespace: string; name: string }; data?: Record<string, string> };

export const placeOfCluster = (cluster: TestCluster): Place => ({
  name: 'the API server',
  async secrets() {
    await using api = rawApi(cluster);
    for (const { metadata, data = {} } of await list<SecretObject>(api, '/api/v1/secrets')) {
      const { namespace, name } = metadata;
      for (const [key, value] of Object.entries(data)) {
        // An installation's id is in the status of every node.
        if (name === 'firn-installation' && key === 'id') continue;
        for (const one of secretsIn(key, Buffer.from(value, 'base64')))
          keepSecret(`Secret ${namespace}/${name} ${key}`, one);
      }
    }
  },
  async search(patterns) {
    await using api = rawApi(cluster);
    const found = new Set<string>();
    for (const path of await listPaths(api)) {
      for (const object of await list<Named>(api, path)) {
        const { namespace = '', name } = object.metadata;
        const words = findIn(patterns, JSON.stringify(object));
        for (const word of words) found.add(`${path.split('/').at(-1)} ${namespace}/${name}: ${word}`);
      }
    }
    return [...found];
  },
});

type Named = { metadata: { namespace?: string; name: string } };

/** The server begins to hold a kind when it is first asked for, and until it does answers that it has too much to do. */
async function patiently(api: RawApi, path: string): Promise<Answer> {
  for (let attempt = 0; ; attempt += 1) {
    const answer = await api.send('GET', path);
    if (answer.status !== 429 || attempt === 40) return answer;
    await sleep(250);
  }
}

async function list<O>(api: RawApi, path: string): Promise<O[]> {
  const { status, body } = await patiently(api, path);
  // A CRD that is being taken away has no objects any more.
  if (status === 404) return [];
  if (status !== 200) throw new Error(`GET ${path} to search for secrets: ${status} ${body.message}`);
  return (body as unknown as { items: O[] }).items;
}

async function listPaths(api: RawApi): Promise<string[]> {
  const { body } = await api.send('GET', '/apis');
  const groups = (body as unknown as { groups: { preferredVersion: { groupVersion: string } }[] }).groups;
  const roots = ['/api/v1', ...groups.map((group) => `/apis/${group.preferredVersion.groupVersion}`)];
  const found = await Promise.all(
    roots.map(async (root) => {
      const { resources } = (await api.send('GET', root)).body as unknown as { resources?: Resource[] };
      const listable = (resources ?? []).filter(({ verbs }) => verbs.includes('list'));
      return listable.map(({ name }) => `${root}/${name}`);
    }),
  );
  return found.flat().filter((path) => path !== '/api/v1/secrets');
}

import { PassThrough } from 'node:stream';
import { systemClock } from '../../../controllers/lib/core/clock.ts';
import type { KubeClient } from '../../../controllers/lib/kube/client.ts';
import { type Secret, SecretKind } from '../../../controllers/lib/kube/core-kinds.ts';
import { Cache } from '../../../controllers/lib/runtime/cache.ts';
import { createLogger } from '../../../controllers/lib/runtime/log.ts';
import { eventually } from '../../support/eventually.ts';

const key = 'demo/login';

/** A server with one Secret, which `tell` makes say something else. */
function serverWith(resourceVersion: string, word: string) {
  let watched = new PassThrough();
  let now = { resourceVersion, word };
  const metadata = () => ({
    ...{ namespace: 'demo', name: 'login', uid: 'u' },
    resourceVersion: now.resourceVersion,
  });
  const client = {
    list: async () => ({ items: [{ metadata: metadata() }], ...now, continue: '' }),
    watch: async () => {
      watched = new PassThrough();
      return watched;
    },
    get: async () => ({ metadata: metadata(), data: { word: Buffer.from(now.word).toString('base64') } }),
  };
  return {
    client: client as unknown as KubeClient,
    tell(event: object, then: typeof now): void {
      now = then;
      watched.write(`${JSON.stringify(event)}\n`);
    },
  };
}

test('what was loaded before a backup was restored is loaded again', async () => {
  const server = serverWith('20', 'late');
  const stop = new AbortController();
  const log = createLogger({ level: 'silent' });
  const options = { clock: systemClock, random: () => 0, log, signal: stop.signal };
  const cache = new Cache(SecretKind, 'metadata', { ...options, client: server.client });
  const running = cache.run();
  const word = async () => {
    const { data } = (await cache.loader.load(key)) as Secret;
    return Buffer.from(data.word!.open()).toString();
  };
  await eventually(() => expect(cache.states).toEqual(['Watching']));
  expect(await word()).toBe('late');

  const gone = { type: 'ERROR', object: { code: 410, reason: 'Expired' } };
  server.tell(gone, { resourceVersion: '5', word: 'early' });
  await eventually(() => expect(cache.store.get(key)?.raw.metadata.resourceVersion).toBe('5'));
  expect(await word()).toBe('early');
  stop.abort();
  server.tell(gone, { resourceVersion: '5', word: 'early' });
  await running;
});

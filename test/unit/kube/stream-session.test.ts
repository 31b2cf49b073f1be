/** Connections that the caller makes. */
import { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { systemClock } from '../../../controllers/lib/core/clock.ts';
import { Sealed } from '../../../controllers/lib/core/sealed.ts';
import { StreamSessions } from '../../../controllers/lib/kube/stream-session.ts';
import { sendForJson } from '../../../controllers/lib/kube/transport.ts';

test('one that was closed as soon as it was made is no reason to wait', async () => {
  const closed = new TLSSocket(new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() }));
  closed.on('error', () => {}).destroy();
  const sessions = new StreamSessions({
    identity: async () => ({ ca: '', certificate: '', key: new Sealed('') }),
    connect: async () => closed,
    onDoubt: () => {},
    clock: systemClock,
  });
  const { signal } = new AbortController();
  await expect(sendForJson(sessions, { method: 'GET', path: '/readyz', signal })).rejects.toMatchObject({
    name: 'KubeError',
  });
  await sessions.close();
}, 5_000);

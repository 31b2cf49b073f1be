import { Sealed } from '../../../controllers/lib/core/sealed.ts';
import {
  connectTimeout,
  handshakeFailed,
  keyMismatch,
  tcpFailed,
} from '../../../controllers/lib/host/ssh-errors.ts';
import { nameOf, quoted } from '../../../controllers/lib/host/words.ts';

const endpoint = {
  host: 'alpha.example',
  port: 22,
  user: 'root',
  privateKey: new Sealed('secret'),
  hostKeys: [],
  trustFirstKey: false,
};
const failed = (code: string): Error => Object.assign(new Error(`connect ${code} 192.0.2.1:22`), { code });

test.each([
  ['ENOTFOUND', 'NameNotResolved', 'alpha.example has no address'],
  ['EAI_AGAIN', 'NameNotResolved', 'EAI_AGAIN'],
  ['ECONNREFUSED', 'ConnectionRefused', 'refuses connections'],
  ['ECONNRESET', 'ConnectionLost', 'cut'],
  ['EHOSTUNREACH', 'ConnectTimeout', 'EHOSTUNREACH'],
  ['ENETUNREACH', 'ConnectTimeout', 'ENETUNREACH'],
  ['ETIMEDOUT', 'ConnectTimeout', 'ETIMEDOUT'],
])('%s is %s', (error, code, words) => {
  expect(tcpFailed(endpoint, failed(error))).toMatchObject({ code, message: expect.stringContaining(words) });
  const inHandshake = Object.assign(failed(error), { level: 'client-socket' });
  expect(handshakeFailed(endpoint, inHandshake)).toMatchObject({ code });
});

test('the same failure reads the same every time', () => {
  // A message with ephemeral ports in it would be a new status each time.
  expect(tcpFailed(endpoint, failed('EPERM')).message).toBe(
    'alpha.example port 22 cannot be reached (EPERM)',
  );
  expect(connectTimeout(endpoint, 1_500, 'no SSH banner came').message).toBe(
    'no login at root@alpha.example within 1.5 s: no SSH banner came',
  );
});

test('a pin that is no key is said so', () => {
  expect(keyMismatch({ ...endpoint, hostKeys: ['nonsense'] }, Buffer.alloc(4)).message).toContain(
    'a line that is not a public key',
  );
});

test('names an IPv6 address and a port unmistakably', () => {
  expect(nameOf({ ...endpoint, host: '2001:db8::1', port: 2222 })).toBe('root@[2001:db8::1]:2222');
});

test('what a host printed becomes one short printable line', () => {
  expect(quoted('\u001b[1mred\u001b[0m\r\n\u0000 and\tmore\u202e ')).toBe('red and more');
  expect(quoted('x'.repeat(500))).toHaveLength(301);
});

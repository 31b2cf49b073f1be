import { Sealed } from '../../../controllers/lib/core/sealed.ts';
import type { SshEndpoint } from '../../../controllers/lib/host/host.ts';
import { fingerprint, parsePublicKey } from '../../../controllers/lib/host/keys.ts';
import { encryptedKey, strangerKey } from '../ssh-keys.ts';
import { type Context, eventually, failure, options } from './context.ts';

/** Who is let in, who is believed, and what is shared. */
export function connecting(context: () => Context): void {
  test('lays down the program on first contact and finds it there later', async () => {
    const { observe, relay, subject } = context();
    expect((await observe()).program).toBe(subject.program.hash);
    const before = relay.bytesUp;
    expect((await observe()).program).toBe(subject.program.hash);
    expect(relay.bytesUp - before).toBeLessThan(8_000);
  });

  test('thirty calls at once share one connection', async () => {
    const { observe, relay } = context();
    const replies = await Promise.all(Array.from({ length: 30 }, () => observe()));
    expect(new Set(replies.map((reply) => reply.bootId)).size).toBe(1);
    expect(relay.accepted).toBe(1);
  });

  test('a new connection is a new one, and then the one that is shared', async () => {
    const { observe, relay } = context();
    await observe();
    await observe({}, { newConnection: true });
    expect(relay.accepted).toBe(2);
    await observe();
    expect(relay.accepted).toBe(2);
    await eventually(() => relay.open === 1);
  });

  test('another login key means another connection', async () => {
    const { observe, relay } = context();
    await observe();
    const error = await failure(observe({ privateKey: new Sealed(strangerKey.private) }));
    expect(error.code).toBe('AuthenticationFailed');
    expect(relay.accepted).toBe(2);
  });

  test('says which key was refused for whom, and nothing of its private half', async () => {
    const { observe } = context();
    const error = await failure(observe({ privateKey: new Sealed(strangerKey.private) }));
    expect(error.message).toContain('root');
    expect(error.message).toContain(fingerprint(parsePublicKey(strangerKey.public)!.blob));
    expect(`${error.message} ${error.stack}`).not.toContain(strangerKey.private.split('\n')[2]!);
  });

  test('sends nothing to a host with another key, and names both', async () => {
    const { observe, subject } = context();
    const error = await failure(observe({ hostKeys: [strangerKey.public] }));
    expect(error.code).toBe('HostKeyMismatch');
    expect(error.message).toContain(fingerprint(parsePublicKey(strangerKey.public)!.blob));
    expect(error.message).toContain(fingerprint(parsePublicKey(subject.hostKey)!.blob));
  });

  test('a pinned key among others is enough; none at all is not', async () => {
    const { observe, subject } = context();
    await observe({ hostKeys: [strangerKey.public, `${subject.hostKey} a comment`] });
    expect((await failure(observe({ poolKey: 'beta', hostKeys: [] }))).code).toBe('HostKeyMismatch');
  });

  test('a pin that changes under a connection is obeyed', async () => {
    const { observe, relay } = context();
    await observe();
    expect((await failure(observe({ hostKeys: [strangerKey.public] }))).code).toBe('HostKeyMismatch');
    expect(relay.accepted).toBe(2);
  });

  test('the first key is believed where that was asked for, told, and can be pinned on the same connection', async () => {
    const { hosts, target, relay, subject } = context();
    const first = hosts.at(target({ hostKeys: [], trustFirstKey: true }));
    expect(first.hostKey).toBeNull();
    await first.call('observe', {}, options());
    expect(first.hostKey).toBe(subject.hostKey);
    await hosts.at(target({ hostKeys: [first.hostKey!] })).call('observe', {}, options());
    expect(relay.accepted).toBe(1);
  });

  test('private keys that cannot be used are refused with a reason', async () => {
    const { observe, relay } = context();
    const encrypted = await failure(observe({ privateKey: new Sealed(encryptedKey) }));
    expect(encrypted.code).toBe('InvalidPrivateKey');
    expect(encrypted.message).toContain('encrypted');
    const nonsense = await failure(observe({ privateKey: new Sealed('ssh-ed25519 AAAA') }));
    expect(nonsense.code).toBe('InvalidPrivateKey');
    expect(relay.bytesUp).toBe(0);
  });

  test('a port that nobody listens on', async () => {
    const { observe, relay } = context();
    await relay.close();
    const error = await failure(observe());
    expect(error.code).toBe('ConnectionRefused');
    expect(error.message).toContain(String(relay.port));
  });

  test('goes through a jump host, whose own key counts', async () => {
    const { observe, relay, subject, target } = context();
    const { poolKey: _, ...jump } = target();
    const behind = (poolKey: string, changes: Partial<SshEndpoint> = {}, port = subject.port) =>
      observe({ poolKey, host: '127.0.0.1', port, jump: { ...jump, ...changes } });
    await Promise.all([behind('first'), behind('second')]);
    await behind('third');
    expect(relay.accepted).toBe(1);
    const wrong = await failure(behind('fourth', { hostKeys: [strangerKey.public] }));
    expect(wrong).toMatchObject({ code: 'JumpFailed', message: expect.stringContaining('expected') });
    const closed = await failure(behind('fifth', {}, 1));
    expect(closed).toMatchObject({ code: 'JumpFailed', message: expect.stringContaining('port 1') });
  });

  test('a jump host that was cut off is connected to anew', async () => {
    const { observe, relay, subject, target } = context();
    const { poolKey: _, ...jump } = target();
    const behind = () => observe({ host: '127.0.0.1', port: subject.port, jump });
    await behind();
    relay.cut();
    await behind();
    expect(relay.accepted).toBe(2);
  });
}

/**
 * What `Hosts` promises, as tests. The same ones run against scripted hosts and against booted ones, so that neither our
 * side nor the model of the other side drifts away from the real thing.
 */
import { createHash, randomBytes } from 'node:crypto';
import { systemClock } from '../../controllers/lib/core/clock.ts';
import { Sealed } from '../../controllers/lib/core/sealed.ts';
import type { HostProgram } from '../../controllers/lib/host/call.ts';
import type { CallOptions, Hosts, SshEndpoint, Target } from '../../controllers/lib/host/host.ts';
import { HostError } from '../../controllers/lib/host/host-error.ts';
import { createHosts } from '../../controllers/lib/host/hosts.ts';
import { fingerprint, parsePublicKey } from '../../controllers/lib/host/keys.ts';
import { defaultLimits } from '../../controllers/lib/host/limits.ts';
import type { HostRequest } from '../../controllers/lib/host/protocol.ts';
import { packParts } from '../../controllers/lib/nix/tar.ts';
import { hashTree, type Tree } from '../../controllers/lib/nix/tree.ts';
import { encryptedKey, strangerKey } from './ssh-keys.ts';
import { startTcpRelay, type TcpRelay } from './tcp-relay.ts';

/** A NixOS host, or what acts as one, on which Firn has never been. */
export type ContractHost = AsyncDisposable & {
  address: string;
  port: number;
  hostKey: string;
  /** Lets root in. */
  privateKey: string;
  program: HostProgram;
};

const installation = 'a'.repeat(32);
const other = 'b'.repeat(32);
const uid = '6f1c2b9e-0000-4000-8000-000000000001';

const options = (changes: Partial<CallOptions> = {}): CallOptions => ({
  signal: new AbortController().signal,
  deadlineMs: 20_000,
  ...changes,
});

/** The error of a promise that must fail with a `HostError`. */
async function failure(promise: Promise<unknown>): Promise<HostError> {
  const error = await promise.then(
    () => new Error('it succeeded'),
    (reason: unknown) => reason,
  );
  if (error instanceof HostError) return error;
  throw error;
}

export function hostContract(name: string, start: () => Promise<ContractHost>): void {
  describe(`the way to ${name}`, () => {
    let subject: ContractHost;
    let relay: TcpRelay;
    let hosts: Hosts;
    const target = (changes: Partial<Target> = {}): Target => ({
      poolKey: 'alpha',
      host: '127.0.0.1',
      port: relay.port,
      user: 'root',
      privateKey: new Sealed(subject.privateKey),
      hostKeys: [subject.hostKey],
      trustFirstKey: false,
      ...changes,
    });
    const observe = (changes: Partial<Target> = {}, call: Partial<CallOptions> = {}) =>
      hosts.at(target(changes)).call('observe', {}, options(call));

    beforeAll(async () => {
      subject = await start();
    });
    afterAll(async () => {
      await subject[Symbol.asyncDispose]();
    });
    beforeEach(async () => {
      relay = await startTcpRelay({ host: subject.address, port: subject.port });
      hosts = createHosts({ clock: systemClock, program: subject.program, limits: defaultLimits });
    });
    afterEach(async () => {
      await hosts.close();
      await relay.close();
    });

    connecting(() => ({ subject, relay, hosts, target, observe }));
    interrupted(() => ({ subject, relay, hosts, target, observe }));
    program(() => ({ subject, relay, hosts, target, observe }));
  });
}

type Context = {
  subject: ContractHost;
  relay: TcpRelay;
  hosts: Hosts;
  target: (changes?: Partial<Target>) => Target;
  observe: (
    changes?: Partial<Target>,
    call?: Partial<CallOptions>,
  ) => Promise<{ program: string; bootId: string }>;
};

function connecting(context: () => Context): void {
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
    const inner = { host: subject.address, port: subject.port, jump: jump satisfies SshEndpoint };
    await observe({ ...inner, host: '127.0.0.1', poolKey: 'inner' });
    expect(relay.accepted).toBe(1);
    const wrong = await failure(
      observe({
        ...inner,
        host: '127.0.0.1',
        jump: { ...jump, hostKeys: [strangerKey.public] },
        poolKey: 'second',
      }),
    );
    expect(wrong.code).toBe('JumpFailed');
    expect(wrong.message).toContain('expected');
    const closed = await failure(observe({ ...inner, host: '127.0.0.1', port: 1, poolKey: 'third' }));
    expect(closed.code).toBe('JumpFailed');
    expect(closed.message).toContain('port 1');
  });
}

function interrupted(context: () => Context): void {
  test('an aborted call ends with the reason, and alone', async () => {
    const { observe, relay } = context();
    await observe();
    relay.block();
    const controller = new AbortController();
    const aborted = observe({}, { signal: controller.signal });
    const beside = observe();
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(aborted).rejects.toBe(reason);
    relay.unblock();
    await beside;
    await observe();
    expect(relay.accepted).toBe(1);
  });

  test('an aborted connect ends at once, for this caller only', async () => {
    const { observe, relay } = context();
    relay.block();
    const controller = new AbortController();
    const aborted = observe({}, { signal: controller.signal });
    const beside = observe();
    controller.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');
    relay.unblock();
    await beside;
    expect(relay.accepted).toBe(1);
  });

  test('a host that falls silent costs a deadline, and its connection', async () => {
    const { observe, relay } = context();
    await observe();
    relay.block();
    const error = await failure(observe({}, { deadlineMs: 300 }));
    expect(error.code).toBe('DeadlineExceeded');
    expect(error.message).toContain('observe');
    relay.unblock();
    await observe();
    expect(relay.accepted).toBe(2);
  });

  test('a host that never speaks', async () => {
    const { observe, relay } = context();
    relay.block();
    const error = await failure(observe({}, { deadlineMs: 300 }));
    expect(error.code).toBe('ConnectTimeout');
    relay.unblock();
  });

  test('a cut during a call is a lost connection, and the next call opens another', async () => {
    const { observe, relay } = context();
    await observe();
    relay.cutAfter(800); // Opening a channel takes 200, the script 1,200.
    expect((await failure(observe())).code).toBe('ConnectionLost');
    await observe();
  });

  test('a connection that died while nobody used it is not noticed', async () => {
    const { observe, relay } = context();
    await observe();
    relay.cut();
    await observe();
    expect(relay.accepted).toBe(2);
  });

  test('a forgotten host has no connection', async () => {
    const { observe, hosts, relay, target } = context();
    await observe();
    hosts.forget('alpha');
    await eventually(() => relay.open === 0);
    expect(hosts.at(target()).hostKey).toBeNull();
  });
}

function program(context: () => Context): void {
  const claim = (changes: Partial<HostRequest<'claim'>> = {}) => {
    const { hosts, target } = context();
    const request = { installation, fence: 1, owner: 'fleet/alpha', uid, adopt: 0, ...changes };
    return hosts.at(target()).call('claim', request, options());
  };
  const seen = () => {
    const { hosts, target } = context();
    return hosts.at(target()).call('observe', {}, options());
  };
  const stage = (changes: Partial<HostRequest<'stage'>>) => {
    const { hosts, target } = context();
    return hosts
      .at(target())
      .call('stage', { ...stageRequest(), ...changes }, options({ deadlineMs: 60_000 }));
  };

  test('nobody is served before a claim; then the newest operator of one installation is', async () => {
    const { hosts, target } = context();
    const early = await failure(hosts.at(target()).call('prune', { installation, fence: 1 }, options()));
    expect(early).toMatchObject({ code: 'Refused', refusal: 'NotClaimed' });
    await claim({ fence: 7 });
    expect(await failure(claim({ fence: 6 }))).toMatchObject({ code: 'Refused', refusal: 'Fenced' });
    const foreign = await failure(claim({ installation: other, fence: 9 }));
    expect(foreign).toMatchObject({ code: 'Refused', refusal: 'OwnedByOther' });
    expect(foreign.message).toContain('fleet/alpha');
    const stale = await failure(hosts.at(target()).call('prune', { installation, fence: 3 }, options()));
    expect(stale).toMatchObject({ code: 'Refused', refusal: 'Fenced' });
    expect((await seen()).owner).toMatchObject({ installation, fence: 7 });
  });

  test.each([
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is for a shell
    'two\nlines and `touch /tmp/firn-was-here` $(id) ${HOME}',
    '\'"\\ FIRN-REQUEST\nFIRN-REQUEST\n}\nexit 3\n',
    'ünïcödé 雪 \u{1F600} \u0007 end ',
    '',
    '-n -e \\0101 %s%n',
  ])('text arrives as it was sent: %j', async (owner: string) => {
    await claim({ owner, adopt: 1, fence: 7 });
    expect((await seen()).owner?.ownerB64).toBe(owner);
  });

  test('a payload of any bytes is kept, once, by its hashes', async () => {
    await claim({ fence: 8, adopt: 1 });
    const files: Tree = new Map<string, string | Uint8Array>([
      ['flake.nix', '{ }'],
      ['modules/big.bin', new Uint8Array(randomBytes(3 * 1024 * 1024))],
    ]);
    const sent = await staged(files);
    await stage(sent);
    const { releases, stored } = await seen();
    expect(releases).toContainEqual({ id: sent.id, parts: partsOf(sent), system: null });
    expect(stored.system).toContain(sent.system);
    const nothing = { payload: new Uint8Array(), payloadBytes: 0, payloadSha256: sha256(new Uint8Array()) };
    await stage({ ...sent, ...nothing });
  });

  test('a payload that is not what was announced is refused and nothing is kept of it', async () => {
    await claim({ fence: 8, adopt: 1 });
    const sent = await staged(new Map([['flake.nix', '{ x = 1; }']]));
    const id = '0123456789ab';
    const corrupt = await failure(stage({ ...sent, id, payloadSha256: 'f'.repeat(64) }));
    expect(corrupt).toMatchObject({ code: 'Refused', refusal: 'PayloadCorrupt' });
    const missing = await failure(stage({ ...sent, id, system: 'e'.repeat(64) }));
    expect(missing.refusal).toBe('PayloadCorrupt');
    const { releases, stored } = await seen();
    expect(releases.map((release) => release.id)).not.toContain(id);
    expect(stored.system).not.toContain('e'.repeat(64));
  });

  test('a refusal before the payload does not wait for it', async () => {
    await claim({ fence: 8, adopt: 1 });
    const sent = await staged(new Map([['flake.nix', new Uint8Array(randomBytes(4 * 1024 * 1024))]]));
    expect(await failure(stage({ ...sent, fence: 1 }))).toMatchObject({ refusal: 'Fenced' });
  });

  test('a request that could not arrive as it is, is not sent', async () => {
    const { relay } = context();
    await expect(failure(claim({ owner: '\ud800' }))).resolves.toMatchObject({ refusal: 'InvalidRequest' });
    await expect(failure(claim({ installation: 'x; id' }))).resolves.toMatchObject({
      refusal: 'InvalidRequest',
    });
    await expect(failure(claim({ fence: -1 }))).resolves.toMatchObject({ refusal: 'InvalidRequest' });
    expect(relay.accepted).toBe(0);
  });
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const stageRequest = (): HostRequest<'stage'> => ({
  installation,
  fence: 8,
  id: '000000000000',
  system: '',
  data: '',
  secrets: '',
  dataFormat: 1,
  secretsFormat: 1,
  manifest: '{}',
  payloadSha256: '',
  payloadBytes: 0,
  payload: new Uint8Array(),
});

async function staged(files: Tree): Promise<HostRequest<'stage'>> {
  const data: Tree = new Map([['hosts', '']]);
  const secrets: Tree = new Map([['index', '']]);
  const payload = await packParts({ system: files, data, secrets });
  const system = hashTree(files);
  return {
    ...stageRequest(),
    id: system.slice(0, 12),
    system,
    data: hashTree(data),
    secrets: '1'.repeat(64),
    payload,
    payloadBytes: payload.length,
    payloadSha256: sha256(payload),
  };
}

const partsOf = ({ system, data, secrets }: HostRequest<'stage'>) => ({ system, data, secrets });

async function eventually(fits: () => boolean): Promise<void> {
  for (let tries = 0; tries < 200 && !fits(); tries += 1)
    await new Promise((resolve) => setTimeout(resolve, 10));
  expect(fits()).toBe(true);
}

import { createHash, randomBytes } from 'node:crypto';
import type { HostRequest } from '../../../controllers/lib/host/protocol.ts';
import { packParts } from '../../../controllers/lib/nix/tar.ts';
import { hashTree, type Tree } from '../../../controllers/lib/nix/tree.ts';
import { type Context, failure, options } from './context.ts';

const installation = 'a'.repeat(32);
const other = 'b'.repeat(32);
const uid = '6f1c2b9e-0000-4000-8000-000000000001';

/** Requests, payloads and refusals. */
export function requests(context: () => Context): void {
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

import { createHash, randomBytes } from 'node:crypto';
import { Sealed } from '../../../controllers/lib/core/sealed.ts';
import type { MadeFile } from '../../../controllers/lib/nix/release.ts';
import { packParts } from '../../../controllers/lib/nix/tar.ts';
import { hashTree, type Tree } from '../../../controllers/lib/nix/tree.ts';
import { handmadeBundle } from '../host-program/handmade.ts';
import { type Operator, operate } from '../host-program/operator.ts';
import { type Context, failure, options } from './context.ts';

const owner = { installation: 'd'.repeat(32), fence: 1 };
const system = { name: 'kept' };
const path = '/etc/kubernetes/pki/kept.crt';

const leaf = (keptIn: string | null, purpose = 'first'): MadeFile => ({
  ...{ path, mode: 0o444, owner: 'root', group: 'root', restartUnits: [], reloadUnits: [] },
  purpose,
  keptIn,
});
const pem = (body: string): string =>
  `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\nand what follows\n`;
const made = (body: string) => new Map([[path, new Sealed(new TextEncoder().encode(pem(body)))]]);

/** What the host alone keeps, and what it tells of it. One story, as `releases` is. */
export function keptFiles(context: () => Context): void {
  const certificate = randomBytes(300).toString('base64');
  const told = [{ pathB64: path, certificate }];
  let operator: Operator;
  /** The secrets part that has the file. */
  let part: string;

  beforeEach(() => {
    const { hosts, target } = context();
    const host = hosts.at(target());
    const call: Parameters<typeof operate>[0]['call'] = (subcommand, request) =>
      host.call(
        subcommand,
        request,
        options({ newConnection: subcommand === 'confirm', deadlineMs: 60_000 }),
      );
    operator = operate({ call }, owner);
  });

  const secretsOf = async (id: string): Promise<string> => {
    const { releases } = await operator.observe();
    return releases.find((release) => release.id === id)!.parts.secrets;
  };

  test('manifest and certificates of what runs are told', async () => {
    await operator.claim(1);
    const manifest = '{"id":"ü","leaves":{}}\n';
    const id = await operator.deploy({ system, files: [leaf(null)], made: made(certificate), manifest });
    part = await secretsOf(id);
    expect(await operator.observe()).toMatchObject({
      manifestB64: manifest,
      certificates: told,
      wireguard: null,
    });
  });

  test('a file is kept by the part that has it, and by the next', async () => {
    for (const [name, manifest] of [
      ['two', '2'],
      ['three', '3'],
    ] as const) {
      const data = new Map([['hosts', `192.0.2.9 ${name}\n`]]);
      const id = await operator.deploy({ system, data, files: [leaf(part, name)], manifest });
      expect(await secretsOf(id)).not.toBe(part);
      part = await secretsOf(id);
      expect(await operator.observe()).toMatchObject({ manifestB64: manifest, certificates: told });
    }
  });

  test.each([
    ['a part that is not there', () => leaf('5'.repeat(64), 'lost')],
    ['a part without the file', () => ({ ...leaf(part, 'lost'), path: '/etc/kubernetes/pki/other.crt' })],
  ])('from %s nothing is kept, and nothing is staged', async (_, file) => {
    const before = await operator.observe();
    expect(await failure(operator.stage({ system, files: [file()] }))).toMatchObject({
      refusal: 'PartMissing',
    });
    const { releases, stored } = await operator.observe();
    expect([releases, stored]).toEqual([before.releases, before.stored]);
  });

  test.each(['=', `=${'a'.repeat(63)}`, `=${'A'.repeat(64)}`, `=../${'0'.repeat(61)}`, '-'])(
    '%j names no part',
    async (source) => {
      const line = `${source} 0400 root root ${Buffer.from('/etc/x').toString('base64')} - -\n`;
      expect(await failure(stageIndex(line))).toMatchObject({ refusal: 'PayloadCorrupt' });
    },
  );

  test('a manifest stays that of the first staging', async () => {
    const wish = { system, files: [leaf(part, 'late')] };
    await operator.stage({ ...wish, manifest: 'first' });
    const id = await operator.stage({ ...wish, manifest: 'second' });
    await operator.build(id);
    await operator.activate(id);
    await operator.inState('AwaitingConfirmation');
    await operator.confirm(id);
    expect(await operator.observe()).toMatchObject({ current: id, manifestB64: 'first', certificates: told });
  });

  async function stageIndex(index: string): Promise<unknown> {
    const { hosts, target } = context();
    const trees = { system: handmadeBundle(system), data: new Map() as Tree };
    const payload = await packParts({ ...trees, secrets: new Map([['index', index]]) });
    const request = {
      ...owner,
      ...{ id: 'abcdef012345', system: hashTree(trees.system), data: hashTree(trees.data) },
      ...{ secrets: '6'.repeat(64), dataFormat: 1, secretsFormat: 1, manifest: '{}' },
      payload,
      payloadBytes: payload.length,
      payloadSha256: createHash('sha256').update(payload).digest('hex'),
    };
    return hosts.at(target()).call('stage', request, options({ deadlineMs: 60_000 }));
  }
}

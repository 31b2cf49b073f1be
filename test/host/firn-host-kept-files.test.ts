import { randomBytes } from 'node:crypto';
import { Sealed } from '../../controllers/lib/core/sealed.ts';
import { programText } from '../../controllers/lib/host/program.ts';
import type { MadeFile } from '../../controllers/lib/nix/release.ts';
import { type Driver, drive } from '../support/host-program/driver.ts';
import { handmadeRelease0 } from '../support/host-program/handmade.ts';
import { type Operator, operate } from '../support/host-program/operator.ts';
import { startHosts, type TestHost, type TestHosts } from '../support/hosts/start.ts';

const path = '/etc/kubernetes/pki/etcd/server.key';
const system = { name: 'kept', files: { asks: '' } };
const secret = `the key ${randomBytes(12).toString('hex')}`;
const made = new Map([[path, new Sealed(new TextEncoder().encode(secret))]]);
const key = (purpose: string, keptIn: string | null, changes: Partial<MadeFile> = {}): MadeFile => ({
  ...{ path, mode: 0o400, owner: 'root', group: 'root', restartUnits: [], reloadUnits: [] },
  purpose,
  keptIn,
  ...changes,
});

let hosts: TestHosts;
let host: TestHost;
let driver: Driver;
let operator: Operator;
/** The part that runs. */
let part: string;
const inHost = async (script: string) => (await host.run(script)).stdout.trim();

async function deploy(file: MadeFile): Promise<void> {
  const id = await operator.deploy({ system, files: [file], made, manifest: `"${file.purpose}"` });
  const { releases } = await operator.observe();
  part = releases.find((release) => release.id === id)!.parts.secrets;
}

beforeAll(async () => {
  hosts = await startHosts({ count: 1, flavour: 'debian' });
  host = hosts.hosts[0]!;
  await host.run(handmadeRelease0);
  driver = drive(host, programText);
  await driver.install();
  operator = operate(driver);
  await operator.claim();
  await deploy(key('made', null));
});
afterAll(() => hosts?.stop());

test('a kept file has its content, and the mode and owner that the new release says', async () => {
  await deploy(key('kept', part, { mode: 0o440, group: 'daemon' }));
  expect(await inHost(`cat ${path}; stat -L -c ' %a %U:%G' ${path}`)).toBe(`${secret} 440 root:daemon`);
});

test('it outlives the part that it came from, and a boot', async () => {
  const parts = '/var/lib/firn/parts/secrets /run/firn/secrets';
  await host.run(`find ${parts} -mindepth 1 -maxdepth 1 ! -name ${part} -exec rm -rf {} +`);
  await host.reboot();
  expect(await inHost(`cat ${path}`)).toBe(secret);
  expect(await operator.observe()).toMatchObject({ secretsLost: false, manifestB64: '"kept"' });
});

test('what its owner did to it on tmpfs goes no further', async () => {
  await host.run(`chmod u+w ${path} && echo changed >${path}`);
  await deploy(key('kept again', part));
  expect(await inHost(`cat ${path}`)).toBe(secret);
});

test('a removal that was killed half-way leaves nothing for what is sent under the same name', async () => {
  const [before, id] = [part, await operator.stage({ system, files: [key('odd', null)], made })];
  const odd = (await operator.observe()).releases.find((release) => release.id === id)!.parts.secrets;
  await host.run(`rm -rf /var/lib/firn/releases/${id} /var/lib/firn/parts/secrets/${odd}`);
  await host.run(`for f in /run/firn/secrets/${odd}/[!i]*; do chmod u+w $f; echo old >$f; done`);
  await deploy(key('odd', before));
  expect(part).toBe(odd);
  expect(await inHost(`cat ${path}`)).toBe(secret);
});

test('prune keeps the part that runs, and of many releases of one system the newest', async () => {
  const { stored, current } = await operator.observe();
  await host.run('touch -d "2 hours ago" /var/lib/firn/releases/* /var/lib/firn/parts/*/*');
  await driver.call('prune', operator.fencing);
  const pruned = await operator.observe();
  expect(pruned.releases.map(({ id }) => id)).toContain(current);
  // What was tried last came from another one.
  expect(pruned.releases.length).toBeLessThanOrEqual(2);
  expect(pruned.stored.secrets).toContain(part);
  const gone = stored.secrets.find((hash) => !pruned.stored.secrets.includes(hash))!;
  await expect(operator.stage({ system, files: [key('too late', gone)] })).rejects.toThrow('PartMissing');
  await deploy(key('after prune', part));
  expect(await inHost(`cat ${path}`)).toBe(secret);
});

test('where the key of the host is another, nothing is kept, and the release stays what it was', async () => {
  const { current } = await operator.observe();
  await host.run('rm /var/lib/systemd/credential.secret');
  const late = { system, files: [key('late', part)] };
  await expect(operator.stage(late)).rejects.toThrow('PartMissing');
  await host.reboot();
  expect(await operator.observe()).toMatchObject({ secretsLost: true, certificates: [] });
  await expect(operator.stage(late)).rejects.toThrow('PartMissing');
  const again = { system, files: [key('after prune', null)], made, manifest: '"another word"' };
  expect(await operator.deploy(again, { attempt: 7 })).toBe(current);
  expect(await operator.observe()).toMatchObject({
    secretsLost: false,
    current,
    manifestB64: '"after prune"',
  });
  expect(await inHost(`cat ${path}`)).toBe(secret);
});

test('no half of a staging is left, nor a secret on the disk in the clear', async () => {
  expect(await inHost('ls -dA /run/firn/payload* /run/firn/secrets/.[!.]* 2>/dev/null || true')).toBe('');
  const [head, tail] = [secret.slice(0, 14), secret.slice(14)];
  expect(await inHost(`grep -rlF '${head}''${tail}' /var/lib/firn /nix/store /var/log || true`)).toBe('');
});

test('a reset takes the keys of a mesh with it', async () => {
  const publicKey = randomBytes(32).toString('base64');
  await host.run(`mkdir -p /var/lib/firn/wireguard /run/firn/mesh
    echo ${publicKey} >/var/lib/firn/wireguard/1.pub; echo private >/var/lib/firn/wireguard/1.key
    printf 'device 1 wgkube 1\\nproblem no device of that kind\\n' >/run/firn/mesh/state`);
  expect((await operator.observe()).wireguard).toEqual({
    keys: [{ epoch: 1, publicKey }],
    devices: [],
    problemB64: 'no device of that kind',
  });
  await operator.reset();
  await driver.ended('firn-reset');
  expect(await operator.observe()).toMatchObject({ wireguard: null, certificates: [], manifestB64: '' });
  expect(await inHost('ls -d /var/lib/firn/wireguard /run/firn/mesh 2>/dev/null || true')).toBe('');
});

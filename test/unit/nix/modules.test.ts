import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readFirnModules } from '../../../controllers/lib/nix/modules.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'firn-modules-'));
  mkdirSync(join(folder, 'host'));
  writeFileSync(join(folder, 'host', 'ssh.nix'), '{ }');
  writeFileSync(join(folder, 'README.md'), 'not Nix');
});
afterEach(() => rmSync(folder, { recursive: true }));

test('takes every Nix file, by its path', () => {
  writeFileSync(join(folder, 'default.nix'), '{ imports = [ ./host/ssh.nix ]; }');
  expect([...readFirnModules(folder)]).toEqual([
    ['default.nix', '{ imports = [ ./host/ssh.nix ]; }'],
    ['host/ssh.nix', '{ }'],
  ]);
});

test('a folder that cannot be imported is refused, and so is a link', () => {
  expect(() => readFirnModules(folder)).toThrow('no default.nix');
  symlinkSync('/etc/passwd', join(folder, 'default.nix'));
  expect(() => readFirnModules(folder)).toThrow('is a link');
});

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Nix's interpolation is meant
import { type BundleInput, nodeModulePriority, renderBundle } from '../../../controllers/lib/nix/bundle.ts';
import { hashTree } from '../../../controllers/lib/nix/tree.ts';

const input: BundleInput = {
  system: 'x86_64-linux',
  hostName: 'alpha',
  stateVersion: '26.05',
  nixpkgs: {
    url: 'path:/srv/nixpkgs',
    locked: { type: 'path', path: '/srv/nixpkgs', narHash: `sha256-${'A'.repeat(43)}=`, lastModified: 1 },
  },
  ssh: { user: 'root', port: 22, authorizedKeys: ['ssh-ed25519 AAAA operator'] },
  modules: [],
  firnModules: new Map([['default.nix', '{ }\n']]),
};
const module = { kind: 'NixModule', name: 'base', priority: 100, text: '{ }' } as const;
const filesOf = (modules: BundleInput['modules']) =>
  [...renderBundle({ ...input, modules }).keys()].filter((path) => path.startsWith('modules/'));

test('the order of modules in the input does not matter', () => {
  const modules = [module, { ...module, name: 'app' }, { ...module, kind: 'NixNode' as const }];
  const one = renderBundle({ ...input, modules });
  const other = renderBundle({ ...input, modules: [...modules].reverse() });
  expect([...other]).toEqual([...one]);
  expect(hashTree(other)).toBe(hashTree(one));
});

test('names sort by priority, shared modules before those of the node', () => {
  expect(
    filesOf([
      { kind: 'NixNode', name: 'alpha', key: 'hardware.nix', priority: nodeModulePriority + 1, text: '' },
      { kind: 'NixNode', name: 'alpha', priority: nodeModulePriority, text: '' },
      { ...module, priority: 900 },
      { ...module, name: 'z', priority: 50 },
    ]),
  ).toEqual([
    'modules/00050-NixModule-z.nix',
    'modules/00900-NixModule-base.nix',
    'modules/10000-NixNode-alpha.nix',
    'modules/10001-NixNode-alpha-hardware.nix',
  ]);
});

test('modules whose names would be the same file stay two, and so do very long ones', () => {
  const files = filesOf([
    { ...module, name: 'a-b', key: 'c' },
    { ...module, name: 'a', key: 'b-c' },
    { ...module, name: 'x'.repeat(253) },
    { ...module, name: `${'x'.repeat(252)}y` },
  ]);
  expect(files).toHaveLength(4);
  for (const file of files) expect(file.length).toBeLessThanOrEqual('modules/'.length + 100);
});

test('the same module twice is refused, and a priority that would not sort', () => {
  expect(() => filesOf([module, module])).toThrow('NixModule base is given twice');
  expect(() => filesOf([{ ...module, priority: -1 }])).toThrow('whole number from 0 to 99999');
});

test('the text of a module is carried as it is', () => {
  const text = '{ }: # no newline at the end, a carriage return\r';
  expect(
    renderBundle({ ...input, modules: [{ ...module, text }] }).get('modules/00100-NixModule-base.nix'),
  ).toBe(text);
});

test('hostile values stay values', () => {
  const hostile = '"; builtins.abort "${1}"';
  const host = String(renderBundle({ ...input, hostName: hostile }).get('host.nix'));
  expect(host).toContain('hostName = "\\"; builtins.abort \\"\\${1}\\"";');
  expect(() => renderBundle({ ...input, nixpkgs: { ...input.nixpkgs, url: hostile } })).toThrow(
    'nixpkgs URL',
  );
});

describe('packages of another nixpkgs', () => {
  const source = {
    name: 'kubernetes-1-36',
    url: 'path:/srv/older',
    locked: { type: 'path', path: '/srv/older', narHash: `sha256-${'B'.repeat(43)}=` },
    options: { 'kubernetes.packages.kubelet': 'kubernetes', 'kubernetes.etcd.package': 'etcd' },
  };
  const next = {
    ...source,
    name: 'kubernetes-1-37',
    options: { 'kubernetes.packages.apiServer': 'kubernetes' },
  };

  test('come in as inputs of the flake, each option from its own, whatever the order', () => {
    const bundle = renderBundle({ ...input, packages: [next, source] });
    expect(bundle.get('flake.nix')).toContain('{ nixpkgs, kubernetes-1-36, kubernetes-1-37, ... }:');
    expect(bundle.get('flake.nix')).toContain(`          {
            firn.kubernetes.etcd.package = kubernetes-1-36.legacyPackages."x86_64-linux".etcd;
            firn.kubernetes.packages.apiServer = kubernetes-1-37.legacyPackages."x86_64-linux".kubernetes;
            firn.kubernetes.packages.kubelet = kubernetes-1-36.legacyPackages."x86_64-linux".kubernetes;
          }
`);
    const lock = JSON.parse(String(bundle.get('flake.lock')));
    expect(Object.keys(lock.nodes)).toEqual(['kubernetes-1-36', 'kubernetes-1-37', 'nixpkgs', 'root']);
    expect([...renderBundle({ ...input, packages: [source, next] })]).toEqual([...bundle]);
  });

  test('have names that are Nix as they stand', () => {
    for (const odd of [
      { ...source, name: 'a;b' },
      { ...source, options: { 'x = 1; y': 'kubernetes' } },
      { ...source, options: { 'kubernetes.package': '"' } },
    ]) {
      expect(() => renderBundle({ ...input, packages: [odd] })).toThrow('is not a name');
    }
  });
});

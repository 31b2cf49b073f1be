import { lockedFromPin, parseLocked, renderFlakeLock } from '../../../controllers/lib/nix/flake-lock.ts';
import { parseFlakeRef } from '../../../controllers/lib/nix/flake-ref.ts';

const rev = 'a'.repeat(40);
const narHash = `sha256-${'A'.repeat(43)}=`;

test.each([
  [
    'github:NixOS/nixpkgs/nixos-26.05',
    { type: 'github', owner: 'NixOS', repo: 'nixpkgs', ref: 'nixos-26.05' },
  ],
  [`github:NixOS/nixpkgs/${rev}`, { type: 'github', owner: 'NixOS', repo: 'nixpkgs', rev }],
  [
    'github:a/b?host=git.example.org&dir=x/y',
    { type: 'github', owner: 'a', repo: 'b', host: 'git.example.org', dir: 'x/y' },
  ],
  ['github:a/b/feature/x', { type: 'github', owner: 'a', repo: 'b', ref: 'feature/x' }],
  ['gitlab:a/b', { type: 'gitlab', owner: 'a', repo: 'b' }],
  [
    `git+https://example.org/n.git?ref=main&rev=${rev}&shallow=1`,
    { type: 'git', url: 'https://example.org/n.git', ref: 'main', rev, shallow: true },
  ],
  ['git+ssh://git@example.org:22/n', { type: 'git', url: 'ssh://git@example.org:22/n' }],
  ['https://example.org/n.tar.xz', { type: 'tarball', url: 'https://example.org/n.tar.xz' }],
  ['path:/srv/nixpkgs', { type: 'path', path: '/srv/nixpkgs' }],
])('%s', (url, attributes) => expect(parseFlakeRef(url)).toEqual(attributes));

test.each([
  ['nixpkgs', 'write github:NixOS/nixpkgs/<branch>'],
  ['flake:nixpkgs', 'write github:NixOS/nixpkgs/<branch>'],
  ['http://example.org/n.tar.gz', 'use https'],
  ['github:NixOS', 'is not github:<owner>/<repository>'],
  [`github:a/b/main?rev=${rev}`, 'more than one branch, tag or revision'],
  ['github:a/b?ref=-x', 'has an invalid ref'],
  ['github:a/b?narHash=x', 'has the parameter narHash'],
  ['github:a/b?ref=x&ref=y', 'has ref twice'],
  ['github:a/b#lib', 'names an output'],
  ['path:./nixpkgs', 'an absolute path'],
  ['path:/a%20b', 'percent-encoded'],
  ['https://me:word@example.org/n.tar.gz', 'no plain host and path'],
  ['https://me@example.org/n.tar.gz', 'credentials do not belong'],
  ['github:a/b\n', 'printable ASCII'],
  ['git+https://example.org/$(id)', 'no plain host and path'],
])('refuses %s', (url, message) => expect(() => parseFlakeRef(url)).toThrow(message));

describe('lockedFromPin', () => {
  test('needs no resolving with revision and hash', () => {
    expect(lockedFromPin('github:a/b/main', { rev, narHash })).toEqual({
      type: 'github',
      owner: 'a',
      repo: 'b',
      rev,
      narHash,
    });
    expect(lockedFromPin('git+https://e.org/n?ref=x', { rev, narHash })).toMatchObject({ ref: 'x', rev });
    expect(lockedFromPin('https://e.org/n.tar.gz', { narHash })).toMatchObject({ type: 'tarball', narHash });
  });

  test('is null where something is missing', () => {
    expect(lockedFromPin('github:a/b/main', { rev })).toBeNull();
    expect(lockedFromPin('github:a/b/main', { narHash })).toBeNull();
    expect(lockedFromPin('https://e.org/n.tar.gz', {})).toBeNull();
  });

  test('refuses two revisions, and what is no hash', () => {
    expect(() => lockedFromPin(`github:a/b/${rev}`, { rev: 'b'.repeat(40), narHash })).toThrow(
      'but rev says',
    );
    expect(() => lockedFromPin('github:a/b', { rev, narHash: 'sha256-x' })).toThrow('(narHash)');
  });
});

test('a lock file has what the URL means and what was resolved, and nothing that Nix added for itself', () => {
  const locked = { type: 'github', owner: 'a', repo: 'b', rev, narHash, lastModified: 1, __final: true };
  const lock = JSON.parse(renderFlakeLock([{ name: 'nixpkgs', url: 'github:a/b/main', locked }]));
  expect(lock).toEqual({
    nodes: {
      nixpkgs: {
        locked: { lastModified: 1, narHash, owner: 'a', repo: 'b', rev, type: 'github' },
        original: { owner: 'a', ref: 'main', repo: 'b', type: 'github' },
      },
      root: { inputs: { nixpkgs: 'nixpkgs' } },
    },
    root: 'root',
    version: 7,
  });
});

test('a pin of another type, or without a hash, is refused', () => {
  const locked = { type: 'path', path: '/x', narHash };
  expect(() => renderFlakeLock([{ name: 'nixpkgs', url: 'github:a/b', locked }])).toThrow('locked as path');
  expect(() => parseLocked({ type: 'github', owner: 'a', repo: 'b', rev })).toThrow('(narHash)');
  expect(() => parseLocked({ type: 'indirect', id: 'nixpkgs' })).toThrow('(type)');
  expect(() => parseLocked(null)).toThrow('cannot be locked');
});

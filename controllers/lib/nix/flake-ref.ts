import { ReconcileError } from '../core/outcome.ts';

/** A flake reference in the form of attributes (nix manual, "nix flake", "Types"); what flake.lock compares. */
export type FlakeAttributes = { readonly type: FlakeType } & {
  readonly [name: string]: string | number | boolean;
};
export type FlakeType = 'github' | 'gitlab' | 'git' | 'tarball' | 'path';

const revision = /^[0-9a-f]{40}$/;
/** Branch and tag names, narrower than git's: what needs percent encoding is refused. */
const reference = /^[A-Za-z0-9][A-Za-z0-9._/-]*$/;
const owner = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
const directory = /^[A-Za-z0-9_-][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/;
const hostName = /^[A-Za-z0-9.-]+$/;
/** Nix writes an URL into the lock file as it would encode it; these characters it leaves alone. */
const plainPath = /^[A-Za-z0-9._~/+-]+$/;
const authority = /^([A-Za-z0-9._-]+@)?([A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\])(:[0-9]+)?$/;

/**
 * Parses a flake reference as Nix does, for the schemes that a lock file can be rendered for without asking Nix:
 * `github:`, `gitlab:`, `git+https:`, `git+ssh:`, `git+file:`, tarballs over `https:`, and absolute `path:`.
 * `dir` is taken only where all versions of Nix write the same about it. Throws a terminal `ReconcileError` (`NixpkgsUrlUnsupported`) that says what to write instead.
 */
export function parseFlakeRef(url: string): FlakeAttributes {
  if (url.length > 2048 || !/^[\x21-\x7e]+$/.test(url)) {
    throw refuse('the nixpkgs URL has characters other than printable ASCII, or is longer than 2048');
  }
  if (url.includes('#')) throw refuse(`${url} names an output (after #); give the flake alone`);
  if (url.includes('%')) throw refuse(`${url} is percent-encoded, which is not supported`);
  const scheme = /^([a-z][a-z0-9+]*):/.exec(url)?.[1] ?? '';
  const [rest = '', query = ''] = splitOnce(url.slice(scheme.length + 1), '?');
  const params = parseQuery(query, url);
  switch (scheme) {
    case 'github':
    case 'gitlab':
      return parseForge(scheme, rest, params, url);
    case 'git+https':
    case 'git+ssh':
    case 'git+file':
      return parseGit(scheme.slice('git+'.length), rest, params, url);
    case 'https':
    case 'tarball+https':
      return parseTarball(rest, params, url);
    case 'path':
      return parsePath(rest, params, url);
    default:
      throw refuse(`${url} is not a supported flake reference${hintFor(scheme)}`);
  }
}

function hintFor(scheme: string): string {
  if (scheme === '' || scheme === 'flake')
    return ': registry names differ from machine to machine; write github:NixOS/nixpkgs/<branch>';
  if (scheme === 'http' || scheme === 'git+http') return ': use https';
  return '; use github:, gitlab:, git+https:, git+ssh:, https: (a tarball) or path:';
}

type Params = ReadonlyMap<string, string>;

function parseForge(type: 'github' | 'gitlab', rest: string, params: Params, url: string): FlakeAttributes {
  only(params, ['ref', 'rev', 'host', 'dir'], url);
  // Nix splits at slashes and drops empty parts.
  const [ownerName = '', repo = '', ...more] = rest.split('/').filter((part) => part !== '');
  if (!owner.test(ownerName) || !owner.test(repo)) throw refuse(`${url} is not ${type}:<owner>/<repository>`);
  const last = more.join('/');
  const inPath = last === '' ? {} : revision.test(last) ? { rev: last } : { ref: last };
  const inQuery = pick(params, ['ref', 'rev']);
  if (Object.keys(inPath).length + Object.keys(inQuery).length > 1) {
    throw refuse(`${url} names more than one branch, tag or revision`);
  }
  return checked(
    { type, owner: ownerName, repo, ...inPath, ...inQuery, ...pick(params, ['host', 'dir']) },
    url,
  );
}

function parseGit(transport: string, rest: string, params: Params, url: string): FlakeAttributes {
  only(params, ['ref', 'rev', 'shallow', 'submodules'], url);
  const flags = Object.fromEntries(
    Object.entries(pick(params, ['shallow', 'submodules'])).map(([name, value]) => [name, value === '1']),
  );
  const attributes = { type: 'git', url: `${transport}:${location(transport, rest, url)}` } as const;
  return checked({ ...attributes, ...pick(params, ['ref', 'rev']), ...flags }, url);
}

function parseTarball(rest: string, params: Params, url: string): FlakeAttributes {
  only(params, [], url);
  return { type: 'tarball', url: `https:${location('https', rest, url)}` };
}

function parsePath(rest: string, params: Params, url: string): FlakeAttributes {
  only(params, [], url);
  if (!rest.startsWith('/') || rest.startsWith('//') || !plainPath.test(rest)) {
    throw refuse(`${url} is not path: and an absolute path without special characters`);
  }
  return { type: 'path', path: rest };
}

/** `//host/path`, as it stands in the URL. */
function location(transport: string, rest: string, url: string): string {
  const [, host = '', path = ''] = /^\/\/([^/]*)(\/.*)$/.exec(rest) ?? [];
  const hostFits = transport === 'file' ? host === '' : authority.test(host);
  if (!hostFits || !plainPath.test(path)) {
    throw refuse(`${url} has no plain host and path after ${transport}:`);
  }
  if (transport === 'https' && host.includes('@')) {
    throw refuse('the nixpkgs URL contains a user name; credentials do not belong into a URL');
  }
  return rest;
}

function checked(attributes: FlakeAttributes, url: string): FlakeAttributes {
  const rules: Record<string, RegExp> = { rev: revision, ref: reference, dir: directory, host: hostName };
  for (const [name, rule] of Object.entries(rules)) {
    const value = attributes[name];
    if (value !== undefined && !rule.test(String(value))) throw refuse(`${url} has an invalid ${name}`);
  }
  return attributes;
}

function parseQuery(query: string, url: string): Params {
  const params = new Map<string, string>();
  for (const pair of query === '' ? [] : query.split('&')) {
    const [name = '', value = ''] = splitOnce(pair, '=');
    if (params.has(name)) throw refuse(`${url} has ${name} twice`);
    params.set(name, value);
  }
  return params;
}

function only(params: Params, names: readonly string[], url: string): void {
  for (const name of params.keys()) {
    if (!names.includes(name)) {
      throw refuse(`${url} has the parameter ${name}, for which no lock file can be rendered`);
    }
  }
}

const pick = (params: Params, names: readonly string[]): Record<string, string> =>
  Object.fromEntries([...params].filter(([name]) => names.includes(name)));

function splitOnce(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}

const refuse = (message: string): ReconcileError =>
  new ReconcileError('terminal', 'NixpkgsUrlUnsupported', message);

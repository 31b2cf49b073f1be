/**
 * Every reason that a user can meet is in the guide, and the guide has no other. Reasons are read from the sources: what
 * cannot be read there fails the test, so that none gets by.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { refusalReasons } from '../../../controllers/clusterfrontend/placement.ts';
import { refusalCodes, trialReasons } from '../../../controllers/lib/host/protocol.ts';
import { conflictReasons } from '../../../controllers/wireguardmesh/externals.ts';

const root = join(import.meta.dirname, '../../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const sources = globSync('controllers/**/*.ts', { cwd: root }).map((path) => ({ path, text: read(path) }));
const host = globSync('nix/host/{firn-host,lib/*.sh}', { cwd: root }).map(read).join('\n');

/** Reasons that are not written where they are thrown, and where they come from instead. */
const elsewhere: Record<string, () => string[]> = {
  'error.code': () => hostErrorCodes().filter((code) => code !== 'Refused'),
  // host-failure.ts: of a refusal; visit.ts: of the API server.
  reason: () => [
    ...refusalCodes.map((code) => (code === 'Failed' ? 'HostFailed' : code)),
    ...['Conflict', 'ApiServerFailed'],
    // clusteraddon/problems.ts: of what a cluster did not take.
    ...addonProblems(),
  ],
  'error.reason': () => [],
  'conflict.reason': () => [...conflictReasons],
  'bad.reason': () => [...trialReasons, ...buildReasons],
  'step.reason': () => waitReasons(),
  // nixcluster/controller.ts: what allocate.ts found.
  'first.reason': () => matches(read('controllers/nixcluster/allocate.ts'), /this\.#refuse\(\s*'(\w+)'/g),
  // clusterfrontend, and nixcluster/versions.ts: what upgrade.ts refuses.
  'refusal.reason': () => [
    ...refusalReasons,
    ...matches(read('controllers/nixcluster/upgrade.ts'), /reason: '(\w+)'/g),
  ],
  // nixcluster/etcd/tend.ts: what words.ts says.
  'trouble.reason': () =>
    matches(read('controllers/nixcluster/etcd/words.ts'), /\b(?:progressing|waiting)\(\s*'(\w+)'/g),
  '`${kind}KeyNotFound`': () => ['ConfigMapKeyNotFound', 'SecretKeyNotFound'],
  '`${kind.kind}NotFound`': () => [
    'ClusterPKINotFound',
    'ConfigMapNotFound',
    'NixClusterNotFound',
    'SecretNotFound',
    'WireguardMeshNotFound',
  ],
  '`${kind.kind}Invalid`': () => [
    'ClusterAddonInvalid',
    'ClusterPKIInvalid',
    'ConfigMapInvalid',
    'NixClusterInvalid',
    'NixModuleInvalid',
    'NixNodeInvalid',
    'SecretInvalid',
    'WireguardMeshInvalid',
  ],
};

const buildReasons = ['EvaluationFailed', 'BuildFailed'];
/** What the runtime itself says, by its files: not thrown. */
const ofRuntime = ['InternalError', 'Progressing', 'Finalizing', 'Reconciled'];
/** Of conditions whose status says all there is. */
const ofConditionsAlone = ['Pending', 'Succeeded', 'NotStalled', 'Stalled'];

const matches = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].map((match) => match[1]!.trim());

const unquoted = (words: string): string | undefined => /^'([A-Z][A-Za-z0-9]*)'$/.exec(words)?.[1];

function hostErrorCodes(): string[] {
  const union = /export type HostErrorCode =([\s\S]*?);/.exec(read('controllers/lib/host/host.ts'))![1]!;
  return matches(union, /\| '(\w+)'/g);
}

function addonProblems(): string[] {
  const union = /^type Reason = (.*);$/m.exec(read('controllers/clusteraddon/problems.ts'))![1]!;
  return matches(union, /'(\w+)'/g);
}

/** Calls of `waitForHost` and `waitForPerson` in plan.ts. */
function waitReasons(): string[] {
  return matches(read('controllers/nixnode/plan.ts'), /\bwaitFor(?:Host|Person)\(\s*'\w+',\s*'(\w+)'/g);
}

function thrown(): string[] {
  return sources.flatMap(({ path, text }) =>
    matches(text, /new ReconcileError\(\s*[^,]+,\s*([^,]+),/g).flatMap((words) => {
      const reason = unquoted(words);
      if (reason !== undefined) return [reason];
      if (!Object.hasOwn(elsewhere, words)) throw new Error(`${path}: which reasons can ${words} be?`);
      return elsewhere[words]!();
    }),
  );
}

const inEvents = (): string[] =>
  sources.flatMap(({ text }) => matches(text, /\bcontext\.event\(\s*(?:'\w+'|[^,]+),\s*'(\w+)'/g));

const emitted = new Set([...thrown(), ...inEvents(), ...ofRuntime]);

/** First cells of the guide's tables. */
function documented(): string[] {
  const rows = matches(read('docs/guides/troubleshooting.md'), /^\|([^|]+)\|/gm);
  return rows.flatMap((cell) => matches(cell, /`([A-Z]\w+)`/g));
}

const sorted = (words: Iterable<string>): string[] => [...new Set(words)].sort();

test('the guide has all reasons and no other', () => {
  expect(emitted.size).toBeGreaterThan(50);
  expect(sorted(documented())).toEqual(sorted(emitted));
});

test('a reason is explained once', () => {
  expect(documented().sort()).toEqual(sorted(documented()));
});

test('advice is about reasons that there are', () => {
  const advised = matches(read('controllers/nixnode/advice.ts'), /^ {2}(\w+):\s/gm);
  expect(advised.length).toBeGreaterThan(20);
  expect(advised.filter((reason) => !emitted.has(reason))).toEqual([]);
});

test('the CLI knows the logs of reasons that there are', () => {
  const table = /const logOf[^{]*\{([^}]*)\}/.exec(read('cli/node-words.ts'))![1]!;
  const known = matches(table, /(\w+):/g);
  expect(known).toContain('BuildFailed');
  expect(known.filter((reason) => !emitted.has(reason))).toEqual([]);
});

test('nobody writes a status that is not looked at here', () => {
  const literals = sources
    .filter(({ path }) => /lib\/(runtime|core)\//.test(path))
    .flatMap(({ text }) => matches(text, /\breason: '([A-Z]\w+)'/g));
  expect(sorted(literals)).toEqual(
    sorted([...ofRuntime, ...ofConditionsAlone].filter((word) => literals.includes(word))),
  );
});

describe('the program on the host', () => {
  test('refuses with the codes that the protocol lists', () => {
    expect(sorted(matches(host, /\brefuse ([A-Z][a-z]\w*)/g))).toEqual(sorted(refusalCodes));
  });

  test('takes back for the reasons that the protocol lists', () => {
    const given = [
      /\b(?:fail_trial|begin_revert|begin_timeout) ([A-Z][a-z]\w*)/g,
      /\bmove_trial [A-Z]\w+ ([A-Z][a-z]\w*)/g,
      /\bdecline_reason=([A-Z]\w+)/g,
    ].flatMap((pattern) => matches(host, pattern));
    expect(sorted(given)).toEqual(sorted(trialReasons));
  });

  test('remembers builds as bad for two reasons', () => {
    expect(sorted(matches(host, /\bprintf (\w+Failed)\b/g))).toEqual(sorted(buildReasons));
  });
});

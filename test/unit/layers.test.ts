/** Who may import whom (docs/architecture.md, "Layers"): pure code imports no effects, and nothing imports upwards. */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

const root = join(import.meta.dirname, '../..');

type Import = { from: string; to: string; typeOnly: boolean };

/** Node modules that touch the world. */
const effects =
  /^node:(fs|fs\/promises|net|tls|http|https|http2|dns|child_process|worker_threads|cluster|timers|readline|dgram|os)/;
const pureLibraries =
  /^(node:(crypto|util|buffer|stream|path|events)|zod|ipaddr\.js|yaml|@peculiar\/x509|tar-stream|reflect-metadata)/;

/** The first rule whose `files` match decides; `may` is asked about imports by value, and `mayType` about types. */
const rules: { name: string; files: RegExp; may: RegExp; mayType?: RegExp }[] = [
  { name: 'crds', files: /^crds\//, may: /^(crds|controllers\/lib\/core)\// },
  { name: 'core', files: /^controllers\/lib\/core\//, may: /^controllers\/lib\/core\// },
  {
    name: 'nix (the edge that reads nix/modules apart)',
    files: /^controllers\/lib\/nix\/(?!modules\.ts)/,
    may: /^controllers\/lib\/(core|nix)\//,
    mayType: /^controllers\/lib\/host\/protocol\.ts$/,
  },
  { name: 'pki', files: /^controllers\/lib\/pki\//, may: /^controllers\/lib\/(core|pki)\// },
  {
    name: "a kind's decisions",
    files: /^controllers\/(?!lib\/)[a-z]+\/(?!controller\.ts)/,
    may: /^(crds|controllers\/lib\/(core|nix|pki))\/|^controllers\/lib\/(host\/(protocol|host-error)|kube\/(core-kinds|kube-error))\.ts$|^controllers\/(?!lib)[a-z]+\//,
    mayType: /^controllers\/lib\//,
  },
];

const files = globSync(['crds/**/*.ts', 'controllers/**/*.ts', 'bootstrap/**/*.ts', 'cli/**/*.ts'], {
  cwd: root,
});
const imports = files.flatMap(importsOf);

test.each(rules)('$name imports only what it may', ({ files: pattern, may, mayType }) => {
  const wrong = imports
    .filter(
      ({ from }) => pattern.test(from) && rules.find((rule) => rule.files.test(from))?.files === pattern,
    )
    .filter(
      ({ to, typeOnly }) => !(may.test(to) || pureLibraries.test(to) || (typeOnly && mayType?.test(to))),
    );
  expect(wrong).toEqual([]);
});

test('pure code touches nothing outside of the process', () => {
  const pure = /^(crds|controllers\/lib\/(core|pki|nix\/(?!modules\.ts)))/;
  expect(imports.filter(({ from, to }) => pure.test(from) && effects.test(to))).toEqual([]);
});

test('the operator imports neither its tools nor its tests', () => {
  const upwards = /^(cli|bootstrap|demo|bench|test|scripts)\//;
  expect(imports.filter(({ from, to }) => /^(crds|controllers)\//.test(from) && upwards.test(to))).toEqual(
    [],
  );
});

function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), 'utf8');
  const statements = text.matchAll(
    /^(?:import|export)\s+(type\s+)?(\{[^}]*\}|\*|[\w$*\s]+)?(?:\s*,\s*\{[^}]*\})?\s*(?:from\s+)?['"]([^'"]+)['"]/gm,
  );
  return [...statements].map(([, type, names = '', target = '']) => ({
    from: file,
    to: target.startsWith('.') ? normalize(join(dirname(file), target)) : target,
    typeOnly: type !== undefined || onlyTypes(names),
  }));
}

/** `{ type A, type B }` */
function onlyTypes(names: string): boolean {
  const inner = /^\{([\s\S]*)\}$/.exec(names.trim())?.[1];
  const specifiers = inner?.split(',').map((one) => one.trim());
  const named = specifiers?.filter(Boolean) ?? [];
  return named.length > 0 && named.every((one) => one.startsWith('type '));
}

import { readYaml } from '../../../controllers/clusteraddon/yaml.ts';

test.each<[what: string, text: string, read: unknown[]]>([
  ['nothing', '', []],
  ['documents, and empty ones', '---\na: 1\n---\n# nothing\n---\nb: 2\n...\n', [{ a: 1 }, null, { b: 2 }]],
  ['JSON', '{"a": [1, "x", null, true]}', [{ a: [1, 'x', null, true] }]],
  ['modes of files as octal numbers', 'a: 0644\nb: "0644"', [{ a: 420, b: '0644' }]],
  [
    'truth as Kubernetes reads it',
    'a: yes\nb: off\nc: "yes"\ny: n',
    [{ a: true, b: false, c: 'yes', y: 'n' }],
  ],
  ['times and dates as text', 'a: 10:30\nb: 2026-01-01\nc: 1.10', [{ a: '10:30', b: '2026-01-01', c: 1.1 }]],
  [
    'names that JavaScript has plans for',
    'constructor: 1\n__proto__: { x: 1 }',
    [JSON.parse('{"constructor":1,"__proto__":{"x":1}}')],
  ],
])('%s', (_, text, read) => {
  expect(readYaml(text)).toEqual(read);
});

const canary = 'canary-c0ffee';

test.each<[what: string, text: string, said: RegExp]>([
  ['what is no YAML', `a: [${canary}\nb: 2`, /at line \d+, column \d+$/],
  ['a key twice', `a: 1\na: ${canary}`, /^duplicate key at line 2, column 1$/],
  ['an alias', `a: &x ${canary}\nb: *x`, /aliases/],
  ['aliases of aliases', `a: &a [x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]`, /aliases/],
  ['too deep a nest', `${'['.repeat(200)}${']'.repeat(200)}`, /nested too deeply|resource exhaustion/],
  ['a very deep nest', '['.repeat(100_000), /nested too deeply|resource exhaustion/],
  ['numbers that would change on the way', 'a: 9007199254740993', /number/],
  ['numbers that JSON lacks', 'a: .inf', /number/],
  ['bytes', 'a: !!binary aGVsbG8=', /kind that JSON does not know|tag resolve/],
  ['tags of others', 'a: !vault x', /^tag resolve failed at line 1/],
])('%s is refused, and never quoted', (_, text, said) => {
  let message = '';
  try {
    readYaml(text);
  } catch (error) {
    message = (error as Error).message;
  }
  expect(message).toMatch(said);
  expect(message).not.toContain(canary);
});

import { schemaOf } from '../../crds/crd.ts';
import type { FirnKind } from '../../crds/kind.ts';
import { firnKinds } from '../../crds/kinds.ts';
import type { KubeObject } from '../../crds/resource.ts';
import type { Structural } from '../../crds/structural.ts';
import { banner, type Generated } from './generated.ts';

/** One page a kind, and a page that lists them. */
export function referencePages(): Generated {
  const pages = firnKinds.map((kind) => [`docs/reference/${kind.singular}.md`, page(kind)] as const);
  return { files: new Map([...pages, ['docs/reference/README.md', index()]]), folders: ['docs/reference'] };
}

function index(): string {
  const lines = firnKinds.map(
    ({ kind, singular, shortNames, description }) =>
      `| [${kind}](${singular}.md) | \`${shortNames.join('`, `')}\` | ${description} |`,
  );
  return `<!-- ${banner} -->

# Reference: firn.dev/v1alpha1

\`kubectl get firn -A\` lists objects of all kinds. They are namespaced; references name objects of the same
namespace. Lists marked *by …* are merged by that key in server-side apply; other lists are replaced as a whole.

| kind | short | what it is |
|---|---|---|
${lines.join('\n')}
`;
}

function page(kind: FirnKind<KubeObject>): string {
  const { properties = {}, ...root } = schemaOf(kind);
  const columns = kind.columns.map(
    ({ name, jsonPath, description }) => `| ${name.toUpperCase()} | \`${cell(jsonPath)}\` | ${description} |`,
  );
  const parts = [
    `<!-- ${banner} -->`,
    `# ${kind.kind}`,
    `${kind.description} API version \`${kind.group}/${kind.version}\`, short name ${code(kind.shortNames)}.`,
    bullets(rulesOf(root)),
    `\`kubectl get ${kind.plural}\` shows, beside the name:\n\n| column | field | what it says |\n|---|---|---|\n${columns.join('\n')}`,
    '## spec',
    table('spec', properties.spec!),
    ...(properties.status === undefined ? [] : ['## status', table('status', properties.status)]),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

/** Rules on the object itself stand above the table, those of a field in its row. */
function table(path: string, schema: Structural): string {
  const rows = fieldsOf(path, schema).map(
    ({ path, schema, required }) =>
      `| \`${path}\` | ${typeOf(schema)} | ${defaultOf(schema, required)} | ${cell(saysOf(schema))} |`,
  );
  const head = '| field | type | default | what it is |\n|---|---|---|---|';
  return [schema.description ?? '', bullets(rulesOf(schema)), `${head}\n${rows.join('\n')}`]
    .filter((part) => part !== '')
    .join('\n\n');
}

type Field = { path: string; schema: Structural; required: boolean };

function fieldsOf(path: string, schema: Structural): Field[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const own = `${path}.${name}`;
    const required = schema.required?.includes(name) ?? false;
    const members = field.items === undefined ? fieldsOf(own, field) : fieldsOf(`${own}[]`, field.items);
    return [{ path: own, schema: field, required }, ...members];
  });
}

function typeOf(schema: Structural): string {
  if (schema.items !== undefined) {
    const keys = schema['x-kubernetes-list-map-keys'];
    const merged = schema['x-kubernetes-list-type'] === 'set' ? ', by value' : '';
    return `list of ${typeOf(schema.items)}${keys === undefined ? merged : `, by ${code(keys)}`}`;
  }
  if (schema.additionalProperties !== undefined) return `map of ${typeOf(schema.additionalProperties)}`;
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${value}\``).join(', ');
  return schema.type;
}

function defaultOf(schema: Structural, required: boolean): string {
  if (required) return '**required**';
  // `{}` only lets the defaults within take effect.
  if (schema.default === undefined || schema.type === 'object') return '';
  return `\`${JSON.stringify(schema.default)}\``;
}

const saysOf = (schema: Structural): string =>
  [schema.description ?? '', ...[boundsOf(schema), ...allRulesOf(schema)].map(sentence)].join(' ').trim();

function boundsOf(schema: Structural): string {
  const { minimum, maximum, minItems, maxItems, maxProperties, minLength, maxLength, items } = schema;
  if (minimum !== undefined && maximum !== undefined && maximum < 2 ** 31) return `${minimum} to ${maximum}`;
  if (minItems !== undefined) return `${minItems} to ${maxItems} items`;
  if (maxItems !== undefined && items?.enum === undefined) return `at most ${maxItems} items`;
  if (maxProperties !== undefined) return `at most ${maxProperties} entries`;
  if (minLength !== undefined && minLength === maxLength) return `${maxLength} characters`;
  return maxLength === undefined || maxLength === 0 ? '' : `at most ${maxLength} characters`;
}

const rulesOf = (schema: Pick<Structural, 'x-kubernetes-validations'>): string[] =>
  (schema['x-kubernetes-validations'] ?? []).map(({ message }) => message);

/** A list of plain values has one row, so the rules of its items stand there too. */
const allRulesOf = (schema: Structural): string[] => [
  ...rulesOf(schema),
  ...(schema.items === undefined ? [] : rulesOf(schema.items).map((rule) => `each: ${rule}`)),
  ...(schema.additionalProperties === undefined
    ? []
    : rulesOf(schema.additionalProperties).map((rule) => `each: ${rule}`)),
];

/** Rules begin in lower case, since they follow a path in an error; some begin with the name of a field. */
const sentence = (text: string): string =>
  text === '' ? '' : `${text.replace(/^(must|each|exactly|at|the|names|empty)/, capital)}.`;
const capital = (word: string): string => word[0]!.toUpperCase() + word.slice(1);
const bullets = (items: string[]): string => items.map((item) => `- ${sentence(item)}`).join('\n');
const code = (words: readonly string[]): string => words.map((word) => `\`${word}\``).join(', ');
const cell = (text: string): string =>
  text.replaceAll('|', '\\|').replaceAll('\n', ' ').replaceAll(/ {2,}/g, ' ');

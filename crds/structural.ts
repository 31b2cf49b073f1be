/**
 * From zod to the structural schema of a CRD (KEP-1929; "Specifying a structural schema" in the Kubernetes
 * documentation). What Kubernetes forbids, or reads differently than zod, is refused here with its path: a CRD is
 * generated from a schema that means the same in both, or not at all.
 */
import { z } from 'zod';
import { celRegExp, type Validation } from './rules.ts';

/** The part of apiextensions v1 `JSONSchemaProps` that Firn uses. */
export type Structural = {
  type: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  description?: string;
  default?: unknown;
  enum?: unknown[];
  format?: 'int32' | 'int64';
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  minItems?: number;
  maxItems?: number;
  maxProperties?: number;
  items?: Structural;
  properties?: Record<string, Structural>;
  additionalProperties?: Structural;
  required?: string[];
  'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map';
  'x-kubernetes-list-map-keys'?: string[];
  'x-kubernetes-validations'?: Validation[];
  'x-kubernetes-preserve-unknown-fields'?: true;
};

type Raw = Readonly<Record<string, unknown>>;

const common = ['type', 'description', 'default', 'x-kubernetes-validations'];
/** By type, what may stand beside it. `format` is ours to write where the type says it. */
const allowed: Readonly<Record<Structural['type'], readonly string[]>> = {
  object: [
    'properties',
    'additionalProperties',
    'required',
    'maxProperties',
    'x-kubernetes-preserve-unknown-fields',
  ],
  array: ['items', 'minItems', 'maxItems', 'x-kubernetes-list-type', 'x-kubernetes-list-map-keys'],
  string: ['enum', 'pattern', 'format', 'minLength', 'maxLength'],
  integer: ['minimum', 'maximum'],
  number: ['minimum', 'maximum'],
  boolean: [],
};

/** Throws an `Error` that names the path of the field and what is wrong with it. */
export function structural(schema: z.ZodType): Structural {
  const root: Record<string, unknown> = z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io: 'input', // defaults are the API server's to fill in: a field that has one is not required
    unrepresentable: 'throw',
    override: ({ zodSchema, path }) => refuseSilent(zodSchema._zod.def as Definition, pathFrom(path)),
  });
  // What is in `definitions` is refused where it is referred to, which says where.
  const { $schema: _, definitions: __, ...rest } = root;
  return rewrite(rest, '');
}

type Definition = {
  type: string;
  keyType?: { _zod: { def: Definition } };
  checks?: { _zod: { def: { check: string } } }[];
};

/** What zod does and its JSON Schema does not say at all. */
function refuseSilent(definition: Definition, path: string): void {
  const { type, keyType, checks = [] } = definition;
  const changes = checks.some((check) => check._zod.def.check === 'overwrite');
  if (changes || ['pipe', 'transform', 'catch'].includes(type)) {
    refuse(path, 'changes its value: what is stored would not be what the operator sees');
  }
  const key = keyType?._zod.def;
  if (key !== undefined && (key.type !== 'string' || (key.checks ?? []).length > 0)) {
    refuse(path, 'restricts the keys of a record: state it as a rule');
  }
}

/** JSON Schema's path to ours: `properties.a.items.properties.b` is `.a[].b`. */
const pathFrom = (path: readonly (string | number)[]): string =>
  `.${path.join('.')}`
    .replaceAll('.properties.', '.')
    .replaceAll('.items', '[]')
    .replaceAll('.additionalProperties', '.*')
    .replace(/^\.$/, '');

function rewrite(raw: Raw, path: string): Structural {
  const given = Object.fromEntries(Object.entries(raw).filter(([, value]) => value !== undefined));
  const type = typeOf(given, path);
  for (const key of Object.keys(given)) {
    if (!common.includes(key) && !allowed[type].includes(key)) refuse(path, hints[key] ?? `has ${key}`);
  }
  const node = { ...given, type } as Structural;
  switch (type) {
    case 'object':
      return spellOutDefault(checkDefaults(rewriteObject(node, given, path), path));
    case 'array':
      return { ...checkList(node, path), items: rewrite(given.items as Raw, `${path}[]`) };
    case 'integer':
      return rewriteInteger(node, path);
    case 'string':
      return checkString(node, path);
    default:
      return node;
  }
}

const hints: Readonly<Record<string, string>> = {
  exclusiveMinimum: 'has an exclusive bound',
  exclusiveMaximum: 'has an exclusive bound',
  multipleOf: 'has multipleOf',
  nullable: 'is nullable: leave the field out instead',
};

function typeOf(raw: Raw, path: string): Structural['type'] {
  if (['oneOf', 'anyOf', 'allOf', 'not'].some((key) => key in raw)) {
    refuse(path, 'is a union: use an enum or optional fields and a rule');
  }
  if ('$ref' in raw) refuse(path, 'is a reference: it has an id, or contains itself');
  const { type } = raw;
  if (typeof type !== 'string' || !Object.hasOwn(allowed, type)) refuse(path, 'has no single type');
  return type as Structural['type'];
}

function rewriteObject(node: Structural, raw: Raw, path: string): Structural {
  const { properties, additionalProperties } = raw;
  // Somebody else's schema: kept as it is, and not looked into.
  if (node['x-kubernetes-preserve-unknown-fields']) {
    const { additionalProperties: _, ...open } = node;
    return open;
  }
  if (additionalProperties === false) {
    refuse(path, 'is a strictObject: Kubernetes drops unknown fields, as z.object does');
  }
  if (properties !== undefined && additionalProperties !== undefined) {
    refuse(path, 'has both properties and additionalProperties');
  }
  if (additionalProperties !== undefined) {
    return { ...node, additionalProperties: rewrite(additionalProperties as Raw, `${path}.*`) };
  }
  const fields = Object.entries((properties ?? {}) as Record<string, Raw>).map(([name, field]) => {
    if (path === '' && ['apiVersion', 'kind', 'metadata'].includes(name))
      refuse(name, 'belongs to the API server');
    return [name, rewrite(field, `${path}.${name}`)] as const;
  });
  return { ...node, properties: Object.fromEntries(fields) };
}

/** Without `default: {}` on the parent, the defaults in it are filled in only where a user writes the parent. */
function checkDefaults(node: Structural, path: string): Structural {
  for (const [name, field] of Object.entries(node.properties ?? {})) {
    const inner = Object.values(field.properties ?? {});
    const required = (field.required ?? []).length > 0;
    if (!required && field.default === undefined && inner.some((child) => child.default !== undefined)) {
      refuse(`${path}.${name}`, 'has defaults within, but none itself: use .prefault({})');
    }
  }
  return node;
}

/** The API server tries an object's rules on its default as that is written, before it fills in defaults within. */
function spellOutDefault(node: Structural): Structural {
  if (node.default === undefined || node['x-kubernetes-validations'] === undefined) return node;
  const given = node.default as Raw;
  const within = Object.entries(node.properties ?? {})
    .filter(([name, field]) => given[name] === undefined && field.default !== undefined)
    .map(([name, field]) => [name, field.default] as const);
  return { ...node, default: { ...given, ...Object.fromEntries(within) } };
}

function checkList(node: Structural, path: string): Structural {
  if (node['x-kubernetes-list-type'] === undefined) {
    refuse(path, 'is a list without x-kubernetes-list-type: use atomicList, setList or mapList');
  }
  if (node.maxItems === undefined) refuse(path, 'is a list without an upper bound');
  return node;
}

function rewriteInteger(node: Structural, path: string): Structural {
  const { minimum = Number.MIN_SAFE_INTEGER, maximum = Number.MAX_SAFE_INTEGER } = node;
  if (minimum === Number.MIN_SAFE_INTEGER || maximum === Number.MAX_SAFE_INTEGER) {
    refuse(path, 'is an integer without bounds: use integer(min, max)');
  }
  return { ...node, format: minimum >= -(2 ** 31) && maximum < 2 ** 31 ? 'int32' : 'int64' };
}

function checkString(node: Structural, path: string): Structural {
  if (node.format !== undefined) {
    refuse(path, `has the format ${node.format}, which Kubernetes checks in its own way or not at all`);
  }
  if (node.pattern !== undefined) celRegExp(new RegExp(node.pattern));
  if (node.maxLength === undefined && node.enum === undefined) {
    refuse(path, 'is a string without an upper bound');
  }
  return node;
}

function refuse(path: string, what: string): never {
  throw new Error(`cannot be a structural schema: ${path === '' ? 'the root' : path} ${what}`);
}

import { z } from 'zod';
import { integer } from '../../../crds/common.ts';
import { atomicList, celRegExp, mapList, setList, text, withRules } from '../../../crds/rules.ts';
import { structural } from '../../../crds/structural.ts';

const name = () => text({ min: 1, max: 10 });

test('fields, bounds, defaults, lists and rules reach the schema', () => {
  const schema = withRules(
    z.object({
      port: integer(1, 65_535).default(22).describe('A port.'),
      bytes: integer(0, 2 ** 40).optional(),
      mode: z.enum(['A', 'B']),
      tags: setList(name(), 3).default([]),
      files: mapList(z.object({ path: name() }), 'path', 2).optional(),
      labels: z.record(z.string(), name()).optional(),
      on: z.boolean().optional(),
    }),
    [{ cel: "self.mode == 'A' || has(self.bytes)", message: 'B needs bytes', test: () => true }],
  );
  const bounded = { type: 'string', minLength: 1, maxLength: 10 };
  expect(structural(schema)).toEqual({
    type: 'object',
    required: ['mode'],
    'x-kubernetes-validations': [{ rule: "self.mode == 'A' || has(self.bytes)", message: 'B needs bytes' }],
    properties: {
      port: {
        type: 'integer',
        format: 'int32',
        minimum: 1,
        maximum: 65_535,
        default: 22,
        description: 'A port.',
      },
      bytes: { type: 'integer', format: 'int64', minimum: 0, maximum: 2 ** 40 },
      mode: { type: 'string', enum: ['A', 'B'] },
      tags: { type: 'array', maxItems: 3, items: bounded, default: [], 'x-kubernetes-list-type': 'set' },
      files: {
        type: 'array',
        maxItems: 2,
        items: { type: 'object', required: ['path'], properties: { path: bounded } },
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['path'],
      },
      labels: { type: 'object', additionalProperties: bounded },
      on: { type: 'boolean' },
    },
  });
});

const node: z.ZodType = z.object({
  get next() {
    return node.optional();
  },
});

test.each<[string, z.ZodType, RegExp]>([
  ['a strict object', z.strictObject({ a: name() }), /\.f is a strictObject/],
  ['a loose object', z.looseObject({ a: name() }), /\.f/],
  ['a union', z.union([name(), z.boolean()]), /\.f is a union/],
  ['a nullable field', name().nullable(), /\.f is nullable/],
  ['an unknown', z.unknown(), /\.f has no single type/],
  ['an unbounded integer', z.int(), /\.f is an integer without bounds/],
  ['an unbounded string', z.string(), /\.f is a string without an upper bound/],
  [
    'an unbounded list',
    z.array(name()).meta({ 'x-kubernetes-list-type': 'atomic' }),
    /\.f is a list without an upper/,
  ],
  [
    'a list that merges nobody knows how',
    z.array(name()).max(3),
    /\.f is a list without x-kubernetes-list-type/,
  ],
  ['a reference', name().meta({ id: 'Name' }), /\.f is a reference/],
  ['a recursive object', node, /\.f.* is a reference/],
  ['a transformation', name().transform((value) => value.length), /\.f changes its value/],
  ['trimming', z.string().trim().max(3), /\.f changes its value/],
  ['a fallback', name().catch('x'), /\.f changes its value/],
  ['restricted keys', z.record(name(), name()), /\.f restricts the keys/],
  ['a format', z.email().max(10), /\.f has the format email/],
  ['an exclusive bound', z.number().gt(1), /\.f has an exclusive bound/],
  ['a multiple', z.number().multipleOf(5), /\.f has multipleOf/],
  ['a title', name().meta({ title: 'x' }), /\.f has title/],
  ['lookahead', name().regex(/^(?!a)/), /JavaScript and RE2 read alike/],
  [
    'a default that never applies',
    z.object({ a: name().default('x') }).optional(),
    /\.f has defaults within/,
  ],
  ['what JSON has not', z.date() as z.ZodType, /Date/],
  [
    'a fault deep inside',
    z.object({ list: atomicList(z.object({ n: z.int() }), 2) }),
    /\.f\.list\[\]\.n is an integer/,
  ],
])('%s is refused with its path', (_, field, message) => {
  expect(() => structural(z.object({ f: field }))).toThrow(message);
});

test('metadata is not ours to describe', () => {
  expect(() => structural(z.object({ metadata: z.object({}) }))).toThrow('belongs to the API server');
});

test.each([/^[a-z.]+$/, /^a[.]b$/, /^\/a\.b$/, /^(a|b){2,3}$/, /^(?:a)$/, /^[-._a]$/])(
  'RE2 reads %p',
  (pattern) => {
    expect(celRegExp(pattern)).toBe(`r'${pattern.source.replaceAll('\\/', '/')}'`);
  },
);

test.each([
  /a.b/,
  /^\s$/,
  /^\d$/,
  /^\w$/,
  /\bx/,
  /(?=a)/,
  /(?<!a)b/,
  /(?<n>a)/,
  /(a)\1/,
  /a/i,
  /a/u,
  /\p{L}/u,
  /\u0041/,
  /it's/,
])('RE2 lacks %p or reads it differently', (pattern) =>
  expect(() => celRegExp(pattern)).toThrow('JavaScript and RE2'),
);

test('text counts characters as Kubernetes does', () => {
  expect(text({ max: 2 }).safeParse('😀😀').success).toBe(true);
  expect(text({ max: 2 }).safeParse('😀😀😀').success).toBe(false);
  expect(text({ min: 2, max: 9 }).safeParse('😀').success).toBe(false);
});

test('the default of an object with rules is spelled out: the API server tries rules on it as it is written', () => {
  const inner = z.object({ a: z.string().max(1).default('x'), b: z.string().max(1).optional() });
  const ruled = withRules(inner, [{ cel: "self.a != 'y'", message: 'no', test: () => true }]);
  const { properties } = structural(z.object({ ruled: ruled.prefault({}), free: inner.prefault({}) }));
  expect(properties?.ruled?.default).toEqual({ a: 'x' });
  expect(properties?.free?.default).toEqual({});
});

/**
 * Rules that zod and the API server both enforce, each stated once: the same regular expression, bound and message
 * reach zod as a refinement and the CRD as CEL, so that a user reads one sentence wherever it is refused.
 */
import { z } from 'zod';

/** One entry of `x-kubernetes-validations` (apiextensions v1 `ValidationRule`). */
export type Validation = { rule: string; message: string; fieldPath?: string };

/** `cel` and `test` say the same of one value; `test` sees it after defaults, as CEL does. */
export type Rule<T> = { cel: string; message: string; fieldPath?: string; test: (value: T) => boolean };

/** A rule about a change: it compares `self` with `oldSelf`, so only the API server can enforce it. */
export type Transition = { cel: string; message: string };

const validationsKey = 'x-kubernetes-validations';

export function withRules<S extends z.ZodType>(schema: S, rules: readonly Rule<z.output<S>>[]): S {
  let refined = schema;
  for (const { test, message, fieldPath } of rules) {
    const path = fieldPath === undefined ? [] : fieldPath.slice(1).split('.');
    refined = refined.refine(test, { message, path });
  }
  return addValidations(
    refined,
    rules.map(({ cel, message, fieldPath }) => ({
      rule: cel,
      message,
      ...(fieldPath === undefined ? {} : { fieldPath }),
    })),
  );
}

export function withTransitions<S extends z.ZodType>(schema: S, transitions: readonly Transition[]): S {
  return addValidations(
    schema,
    transitions.map(({ cel, message }) => ({ rule: cel, message })),
  );
}

function addValidations<S extends z.ZodType>(schema: S, added: Validation[]): S {
  const before = (schema.meta()?.[validationsKey] ?? []) as Validation[];
  return schema.meta({ ...schema.meta(), [validationsKey]: [...before, ...added] });
}

/** The whole string matches; anchors are part of `pattern`. */
export function matches(pattern: RegExp, message: string): Rule<string> {
  return { cel: `self.matches(${celRegExp(pattern)})`, message, test: (value) => pattern.test(value) };
}

/**
 * A regular expression as a CEL literal. Refuses what Go's RE2 lacks, and what it reads differently than
 * JavaScript: lookaround, back-references, named groups, `.`, `\s`, `\b`, `\p`, and flags.
 */
export function celRegExp(pattern: RegExp): string {
  const source = pattern.source.replaceAll('\\/', '/');
  const withoutEscapes = source.replaceAll(/\\[\\^$.|?*+()[\]{}-]/g, '_').replaceAll(/\[[^\]]*\]/g, '_');
  if (pattern.flags !== '' || /\(\?[^:]|\\|\./.test(withoutEscapes) || /'|\\[sSbBpPdDwW]/.test(source)) {
    throw new Error(`not a regular expression that JavaScript and RE2 read alike: ${pattern}`);
  }
  return `r'${source}'`;
}

/** A string of `min` to `max` Unicode code points, which is how Kubernetes counts (JavaScript counts UTF-16 units). */
export const text = (bounds: { min?: number; max: number }) =>
  z
    .string()
    .refine((value) => [...value].length >= (bounds.min ?? 0), {
      message: bounds.min === 1 ? 'must not be empty' : `must be at least ${bounds.min} characters long`,
    })
    .refine((value) => [...value].length <= bounds.max, {
      message: `must be at most ${bounds.max} characters long`,
    })
    .meta({ ...(bounds.min === undefined ? {} : { minLength: bounds.min }), maxLength: bounds.max });

/** How server-side apply merges a list: as one value, or by its members, which then are unique. */
export const atomicList = <S extends z.ZodType>(item: S, max: number) =>
  z.array(item).max(max).meta({ 'x-kubernetes-list-type': 'atomic' });

export const setList = <S extends z.ZodType<string>>(item: S, max: number) =>
  z
    .array(item)
    .max(max)
    .refine((items) => new Set<string>(items).size === items.length, { message: 'names a value twice' })
    .meta({ 'x-kubernetes-list-type': 'set' });

export const mapList = <S extends z.ZodType, K extends keyof z.output<S> & string>(
  item: S,
  key: K,
  max: number,
) =>
  z
    .array(item)
    .max(max)
    .refine((items) => new Set(items.map((value) => value[key])).size === items.length, {
      message: `names a ${key} twice`,
    })
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': [key] });

/** An object in somebody else's schema, passed on as it is; what is null there is absent, as everywhere. */
export const foreignObject = () =>
  z.record(z.string(), z.unknown()).meta({ 'x-kubernetes-preserve-unknown-fields': true });

/** For an object of which exactly one of `keys` is to be given. */
export function exactlyOneOf<K extends string>(keys: readonly K[]): Rule<{ readonly [P in K]?: unknown }> {
  const cel = `[${keys.map((key) => `has(self.${key})`).join(', ')}].filter(given, given).size() == 1`;
  return {
    cel,
    message: `exactly one of ${keys.join(', ')} is required`,
    test: (value) => keys.filter((key) => value[key] !== undefined).length === 1,
  };
}

/** What several kinds have in common: instants, conditions, references, label selectors. */
import { z } from 'zod';
import { atomicList, mapList, matches, type Rule, text, withRules } from './rules.ts';

/** An integer with bounds, so that JavaScript and Kubernetes agree on what fits. */
export const integer = (min: number, max: number) => z.int().min(min).max(max);

/** What is counted, as JavaScript can count. */
export const count = () => integer(0, Number.MAX_SAFE_INTEGER - 1);

/** SHA-256, in lower-case hex. */
export const digest = () =>
  z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .max(64);

/** The name of a release: the beginning of a digest. */
export const releaseId = () =>
  z
    .string()
    .regex(/^[0-9a-f]{12}$/)
    .max(12);

const date = '[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])';
const time = '([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?';

/**
 * An instant, as RFC 3339 writes it. A pattern, because the API server's `date-time` format lets values pass that
 * are not even strings.
 */
export const timestamp = () =>
  z
    .string()
    .max(64)
    .regex(new RegExp(`^${date}T${time}(Z|[+-][0-9]{2}:[0-9]{2})$`));

// --- conditions ---

/** `metav1.Condition` of apimachinery: the same fields, bounds and patterns. */
export const condition = z.object({
  type: z
    .string()
    .max(316)
    .regex(/^[A-Za-z][A-Za-z0-9./-]*$/)
    .describe('What the condition is about, in CamelCase.'),
  status: z.enum(['True', 'False', 'Unknown']).describe('Whether it holds.'),
  observedGeneration: count().optional().describe('The generation of the spec that this was found for.'),
  lastTransitionTime: timestamp().describe('When `status` last changed.'),
  reason: z
    .string()
    .min(1)
    .max(1024)
    .regex(/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/)
    .describe('Why, as one CamelCase word that programs may rely on.'),
  message: z.string().max(32_768).describe('Why, for people, and what they can do about it.'),
});
export type Condition = z.output<typeof condition>;

export const conditions = () => mapList(condition, 'type', 32);

// --- names and references ---

const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** The name of an object (RFC 1123 subdomain, as Kubernetes checks it). */
export const objectName = () =>
  withRules(text({ min: 1, max: 253 }), [
    matches(subdomain, 'must be the name of an object: lower-case letters, digits, "-" and "."'),
  ]);

/** A key of a Secret's or ConfigMap's data. */
export const dataKey = () =>
  withRules(text({ min: 1, max: 253 }), [
    matches(/^[-._a-zA-Z0-9]+$/, 'must be a key of data: letters, digits, "-", "_" and "."'),
  ]);

export const nameReference = (of: string) =>
  z.object({ name: objectName().describe(`Name of the ${of}, in the same namespace.`) });

export const keyReference = (of: string) =>
  z.object({
    name: objectName().describe(`Name of the ${of}, in the same namespace.`),
    key: dataKey().describe(`Which key of its data.`),
  });
export type KeyReference = z.output<ReturnType<typeof keyReference>>;

// --- label selectors ---

const labelKeyPattern =
  /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const labelValuePattern = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;

export const labelKey = () =>
  withRules(text({ min: 1, max: 317 }), [matches(labelKeyPattern, 'must be the key of a label')]);
export const labelValue = () =>
  withRules(text({ max: 63 }), [matches(labelValuePattern, 'must be the value of a label')]);

const requirement = withRules(
  z.object({
    key: labelKey().describe('The key of a label.'),
    operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']).describe('How the label is compared.'),
    values: atomicList(labelValue(), 64)
      .default([])
      .describe('For `In` and `NotIn`: the values; otherwise empty.'),
  }),
  [
    {
      cel: "(self.operator in ['In', 'NotIn']) == (self.values.size() > 0)",
      message: 'In and NotIn need values; Exists and DoesNotExist take none',
      test: ({ operator, values }) => (operator === 'In' || operator === 'NotIn') === values.length > 0,
    },
  ],
);

const labelKeys: Rule<Record<string, string>> = {
  cel: `self.all(key, key.matches(r'${labelKeyPattern.source.replaceAll('\\/', '/')}'))`,
  message: 'must have keys of labels',
  test: (labels) => Object.keys(labels).every((key) => labelKeyPattern.test(key)),
};

export const labels = () =>
  withRules(
    z
      .record(z.string(), labelValue())
      .refine((given) => Object.keys(given).length <= 32, { message: 'must have at most 32 labels' })
      .meta({ maxProperties: 32 }),
    [labelKeys],
  );

/** `metav1.LabelSelector`: all of it must hold; an empty one selects everything. */
export const labelSelector = () =>
  z.object({
    matchLabels: labels().default({}).describe('Labels that an object must have, with exactly these values.'),
    matchExpressions: atomicList(requirement, 32)
      .default([])
      .describe('Conditions on labels; all must hold.'),
  });
export type LabelSelector = z.output<ReturnType<typeof labelSelector>>;

/** Whether the labels of an object satisfy a selector. */
export function selects(selector: LabelSelector, labels: Readonly<Record<string, string>>): boolean {
  const label = (key: string) => (Object.hasOwn(labels, key) ? labels[key] : undefined);
  return (
    Object.entries(selector.matchLabels).every(([key, value]) => label(key) === value) &&
    selector.matchExpressions.every((asked) => satisfies(asked, label(asked.key)))
  );
}

function satisfies(asked: z.output<typeof requirement>, value: string | undefined): boolean {
  switch (asked.operator) {
    case 'In':
      return value !== undefined && asked.values.includes(value);
    case 'NotIn':
      return value === undefined || !asked.values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
  }
}

import { z } from 'zod';
import { objectName } from './common.ts';
import { apiVersionOf, type KubeObject, type Metadata, type ResourceKind } from './resource.ts';
import type { Rule, Transition } from './rules.ts';

/** A column of `kubectl get` (apiextensions v1 `CustomResourceColumnDefinition`). */
export type Column = {
  name: string;
  type: 'string' | 'integer' | 'date';
  jsonPath: string;
  description: string;
};

/** A kind of our own: what `ResourceKind` says, and all that the CRD and the reference page are made of. */
export type FirnKind<T extends KubeObject> = ResourceKind<T> & {
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly description: string;
  readonly columns: readonly Column[];
  readonly spec: z.ZodType;
  /** Absent: the kind has no status subresource. */
  readonly status: z.ZodType | undefined;
  /** On the whole object; of metadata, CEL sees only `name` and `generateName`. */
  readonly rules: readonly Rule<KubeObject>[];
  /** On the whole object too: where a change of spec depends on status. */
  readonly transitions?: readonly Transition[];
};

/** Fields that nobody reads, such as managedFields, are dropped: they are half of an object in memory. */
const metadata = z.object({
  name: objectName(),
  namespace: z.string().optional(),
  uid: z.string().min(1),
  resourceVersion: z.string(),
  generation: z.int().optional(),
  creationTimestamp: z.string().optional(),
  deletionTimestamp: z.string().optional(),
  labels: z.record(z.string(), z.string()).optional(),
  annotations: z.record(z.string(), z.string()).optional(),
  finalizers: z.array(z.string()).optional(),
  ownerReferences: z
    .array(
      z.object({
        apiVersion: z.string(),
        kind: z.string(),
        name: z.string(),
        uid: z.string(),
        controller: z.boolean().optional(),
      }),
    )
    .optional(),
  // JSON has no undefined: an optional field is there or it is not, as `Metadata` says.
}) as unknown as z.ZodType<Metadata>;

type Definition<Spec extends z.ZodType, Status extends z.ZodType | undefined> = {
  kind: string;
  plural: string;
  shortNames: readonly string[];
  description: string;
  columns: readonly Column[];
  rules: readonly Rule<KubeObject>[];
  transitions?: readonly Transition[];
  spec: Spec;
  status: Status;
};

export type ObjectOf<Spec extends z.ZodType, Status extends z.ZodType | undefined> = {
  apiVersion: string;
  kind: string;
  metadata: Metadata;
  spec: z.output<Spec>;
} & (Status extends z.ZodType ? { status?: z.output<Status> | undefined } : unknown);

export function defineKind<Spec extends z.ZodType, Status extends z.ZodType | undefined>(
  definition: Definition<Spec, Status>,
): FirnKind<ObjectOf<Spec, Status>> {
  const place = { group: 'firn.dev', version: 'v1alpha1' };
  let schema: z.ZodType = z.object({
    apiVersion: z.literal(apiVersionOf(place)),
    kind: z.literal(definition.kind),
    metadata,
    spec: definition.spec,
    ...(definition.status === undefined ? {} : { status: definition.status.optional() }),
  });
  for (const { test, message } of definition.rules) {
    schema = schema.refine((value) => test(value as KubeObject), { message, path: ['metadata', 'name'] });
  }
  return {
    ...definition,
    ...place,
    singular: definition.kind.toLowerCase(),
    namespaced: true,
    parse: (raw) => parseWith(schema, definition.kind, raw) as ObjectOf<Spec, Status>,
  };
}

/** zod's messages name types, bounds and allowed values, never the value that was refused. */
function parseWith(schema: z.ZodType, kind: string, raw: unknown): unknown {
  const result = schema.safeParse(withoutNulls(raw));
  if (result.success) return result.data;
  const said = result.error.issues.map((issue) => `${pathOf(issue.path)}: ${issue.message}`);
  throw new Error(`not a valid ${kind}: ${said.join('; ')}`);
}

/** A field that is null is absent, as the API server reads it where a field is not nullable, and none of ours is. */
function withoutNulls(raw: unknown): unknown {
  if (Array.isArray(raw)) return raw.map(withoutNulls);
  if (raw === null || typeof raw !== 'object') return raw;
  const given = Object.entries(raw).filter(([, value]) => value !== null);
  return Object.fromEntries(given.map(([key, value]) => [key, withoutNulls(value)]));
}

const pathOf = (path: readonly PropertyKey[]): string =>
  path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
    .join('')
    .replace(/^\./, '') || 'object';

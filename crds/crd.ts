/** The CustomResourceDefinition of a kind (apiextensions.k8s.io/v1). */
import type { FirnKind } from './kind.ts';
import type { KubeObject } from './resource.ts';
import { type Structural, structural } from './structural.ts';

export type CustomResourceDefinition = {
  apiVersion: 'apiextensions.k8s.io/v1';
  kind: 'CustomResourceDefinition';
  metadata: { name: string };
  spec: Record<string, unknown>;
};

export function schemaOf<T extends KubeObject>(kind: FirnKind<T>): Structural {
  const validations = [...kind.rules, ...(kind.transitions ?? [])];
  const text = (description: string): Structural => ({ type: 'string', description });
  return {
    type: 'object',
    description: kind.description,
    required: ['spec'],
    ...(validations.length === 0
      ? {}
      : { 'x-kubernetes-validations': validations.map(({ cel, message }) => ({ rule: cel, message })) }),
    properties: {
      apiVersion: text('The version of the API that this object is written in.'),
      kind: text('The kind of this object.'),
      // The bound is Kubernetes' own; said here, it lets the API server estimate what rules on the name cost.
      metadata: { type: 'object', properties: { name: { type: 'string', maxLength: 253 } } },
      spec: structural(kind.spec),
      ...(kind.status === undefined ? {} : { status: structural(kind.status) }),
    },
  };
}

export function crdOf<T extends KubeObject>(kind: FirnKind<T>): CustomResourceDefinition {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${kind.plural}.${kind.group}` },
    spec: {
      group: kind.group,
      scope: 'Namespaced',
      names: {
        kind: kind.kind,
        listKind: `${kind.kind}List`,
        plural: kind.plural,
        singular: kind.singular,
        shortNames: kind.shortNames,
        categories: ['firn'],
      },
      versions: [
        {
          name: kind.version,
          served: true,
          storage: true,
          ...(kind.status === undefined ? {} : { subresources: { status: {} } }),
          additionalPrinterColumns: kind.columns,
          schema: { openAPIV3Schema: schemaOf(kind) },
        },
      ],
    },
  };
}

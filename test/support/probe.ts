import type { Condition } from '../../controllers/lib/runtime/status.ts';
import type { KubeObject, Metadata, ResourceKind } from '../../crds/resource.ts';

/** The smallest kind that has all that the runtime writes; for tests and measurements of the runtime alone. */
export type Probe = KubeObject & {
  spec: { value: string; payload?: string; secret?: string };
  status?: {
    observedValue?: string;
    note?: string;
    observedGeneration?: number;
    summary?: string;
    conditions?: Condition[];
  };
};

export const ProbeKind: ResourceKind<Probe> = {
  group: 'test.firn.dev',
  version: 'v1',
  kind: 'Probe',
  plural: 'probes',
  namespaced: true,
  parse(raw) {
    const { apiVersion, kind, metadata, spec, status } = raw as Probe;
    if (spec?.value === 'unparsable') throw new Error('spec.value: must not be unparsable');
    return { apiVersion, kind, metadata, spec: { ...spec }, ...(status ? { status } : {}) };
  },
};

const text = { type: 'string', maxLength: 100_000 };
const condition = {
  type: 'object',
  required: ['type', 'status', 'lastTransitionTime', 'reason', 'message'],
  properties: {
    type: text,
    status: { type: 'string', enum: ['True', 'False', 'Unknown'] },
    observedGeneration: { type: 'integer', format: 'int64' },
    lastTransitionTime: { type: 'string', format: 'date-time' },
    reason: text,
    message: text,
  },
};

/** For `kubectl apply -f -`: JSON is YAML. */
export const probeCrd = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'probes.test.firn.dev' },
  spec: {
    group: 'test.firn.dev',
    scope: 'Namespaced',
    names: { kind: 'Probe', plural: 'probes', singular: 'probe' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: { type: 'object', properties: { value: text, payload: text, secret: text } },
              status: {
                type: 'object',
                properties: {
                  observedValue: text,
                  note: text,
                  summary: text,
                  observedGeneration: { type: 'integer', format: 'int64' },
                  conditions: {
                    type: 'array',
                    'x-kubernetes-list-type': 'map',
                    'x-kubernetes-list-map-keys': ['type'],
                    items: condition,
                  },
                },
              },
            },
          },
        },
      },
    ],
  },
} as const;

/** A Probe as the server would give it, for tests without one. */
export const probe = (name: string, value: string, metadata: Partial<Metadata> = {}): Probe => ({
  apiVersion: 'test.firn.dev/v1',
  kind: 'Probe',
  metadata: {
    namespace: 'default',
    name,
    uid: `uid-${name}`,
    resourceVersion: '1',
    generation: 1,
    ...metadata,
  },
  spec: { value },
});

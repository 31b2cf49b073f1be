/** The Service behind a frontend, as its cluster has it. Pure, but for the question. */
import { z } from 'zod';
import type { ClusterFrontend, KubeObject, ResourceKind } from '../../crds/index.ts';
import type { Backend } from './verdict.ts';

const service = z.object({
  spec: z.object({
    clusterIP: z.string().optional(),
    ports: z.array(z.object({ name: z.string().optional(), protocol: z.string().optional() })).default([]),
  }),
});

type Service = KubeObject & z.output<typeof service>;

/** Of a Service as much as is looked at. */
export const ServiceKind: ResourceKind<Service> = {
  ...{ group: '', version: 'v1', kind: 'Service', plural: 'services', namespaced: true },
  parse: (raw) => service.parse(raw) as Service,
};

export const placeOf = ({ spec }: ClusterFrontend): { namespace: string; name: string } => {
  const { namespace, name } = spec.backend.service;
  return { namespace, name };
};

/** SRV records are of ports with a name, TCP where nothing else is said. */
export function backendOf(raw: unknown): Exclude<Backend, 'Absent' | null> {
  const { clusterIP, ports } = ServiceKind.parse(raw).spec;
  const named = ports.filter(({ protocol = 'TCP' }) => protocol === 'TCP').flatMap(({ name }) => name ?? []);
  return { isHeadless: clusterIP === 'None', ports: named };
}

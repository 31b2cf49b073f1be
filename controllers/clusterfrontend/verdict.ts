/** What a view means for the conditions of a frontend. Each throws a `ReconcileError` with its own reason, or is content. */
import type { ClusterFrontend, NixNode } from '../../crds/index.ts';
import { ReconcileError } from '../lib/core/outcome.ts';
import { several } from '../lib/core/several.ts';
import type { View } from './view.ts';

function placed({ frontend, isChosen, refused, nowhere }: View): void {
  const cluster = frontend.spec.clusterRef.name;
  if (!isChosen) {
    const message = `no NixNode of ${cluster} with the role frontend has the labels of spec.nodeSelector; give one the role and the labels`;
    throw new ReconcileError('waiting', 'NoFrontendNodes', message);
  }
  const [refusal] = refused;
  if (refusal) {
    const said = several(
      refused.map(({ message }) => message),
      '; ',
    );
    const message = `${said}. Change spec.bind of one of them, or let other nodes serve it`;
    throw new ReconcileError('terminal', refusal.reason, message);
  }
  if (nowhere.length > 0) {
    const message = `none of its nodes has the address ${several(nowhere)}: give it to one, or listen on :PORT. As soon as a node has it, it is served there`;
    throw new ReconcileError('waiting', 'AddressMissing', message);
  }
}

/** Nobody tells of a Service that changes, or of a way into the cluster that opens. */
const again = { recheckMs: 30_000 };

/** What the cluster says of the Service; null where it was not asked, or does not answer. */
export type Backend = 'Absent' | { readonly isHeadless: boolean; readonly ports: readonly string[] } | null;

function backend({ spec }: ClusterFrontend, found: Backend): void {
  const { namespace, name, port } = spec.backend.service;
  const service = `Service ${namespace}/${name} of ${spec.clusterRef.name}`;
  if (found === null) return;
  if (found === 'Absent') {
    const message = `${service} does not exist; create it`;
    throw new ReconcileError('waiting', 'BackendNotFound', message, again);
  }
  if (!found.isHeadless) {
    const message = `${service} is not headless: its name stands for one address, not for its pods. Set clusterIP: None, which takes a new Service`;
    throw new ReconcileError('waiting', 'BackendNotHeadless', message, again);
  }
  if (!found.ports.includes(port)) {
    const has = found.ports.length > 0 ? several(found.ports) : 'none with a name';
    const message = `${service} has no TCP port that is called ${port} (it has ${has}); name one so, or correct spec.backend.service.port`;
    throw new ReconcileError('waiting', 'BackendPortNotFound', message, again);
  }
}

function deployed({ nodes, seen }: View): void {
  const missing = nodes.filter((_, at) => !seen[at]!.serves);
  if (missing.length === 0) return;
  const isStuck = missing.some((node) => conditionOf(node, 'Stalled')?.status === 'True');
  const message = `not served as it is wanted yet: ${several(missing.map(wordsOf), '; ')}`;
  throw new ReconcileError(isStuck ? 'waiting' : 'progressing', 'NotDeployed', message);
}

const conditionOf = ({ status }: NixNode, type: string) =>
  status?.conditions?.find((condition) => condition.type === type);

function wordsOf(node: NixNode): string {
  const ready = conditionOf(node, 'Ready');
  const why = ready?.status === 'False' && ready.message ? ` (${ready.message})` : '';
  return `${node.metadata.name}${why}`;
}

function serving({ frontend, seen }: View): void {
  const idle = seen.filter(({ up }) => up === 0);
  if (idle.length === 0) return;
  const { namespace, name, port } = frontend.spec.backend.service;
  const on = several(idle.map((node) => node.name));
  if (idle.some(({ servers }) => servers > 0)) {
    const message = `no pod of Service ${namespace}/${name} answers at its port ${port}, seen from ${on}: look at the pods, and at network policies`;
    throw new ReconcileError('waiting', 'BackendDown', message, again);
  }
  const message = `the cluster's DNS names no pod for port ${port} of Service ${namespace}/${name}, asked on ${on}: it must be headless, with pods that are ready`;
  throw new ReconcileError('waiting', 'NoBackends', message, again);
}

export const verdictOf = { placed, backend, deployed, serving } as const;

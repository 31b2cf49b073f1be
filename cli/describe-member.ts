import type { NixNode } from '../crds/index.ts';
import { age } from './age.ts';

/** A node's place in its cluster, its mesh and its certificates, a line each; none for a node of no cluster. Pure. */
export function memberLines({ spec, status = {} }: NixNode, now: number): string[] {
  if (spec.clusterRef === undefined) return [];
  const { index, mesh, pki } = status;
  const number = index === undefined ? 'has no number yet' : `number ${index}`;
  return [
    `Cluster: ${spec.clusterRef.name}, ${spec.roles.join(', ')}, ${number}`,
    ...nodeLine(status),
    ...(mesh ? meshLines(mesh) : []),
    ...(pki ? [certificates(pki, now)] : []),
  ];
}

type Status = NonNullable<NixNode['status']>;

/** Its Node in the cluster; none for who runs no kubelet. */
function nodeLine({ conditions, kubernetesVersion }: Status): string[] {
  const ready = conditions?.find(({ type }) => type === 'NodeReady');
  if (!ready) return [];
  const version = kubernetesVersion === undefined ? '' : `, ${kubernetesVersion}`;
  return [`Node: ${ready.status === 'True' ? 'ready' : 'not ready'}${version}`];
}

function meshLines({ connected, peers, mtu, details, problem }: NonNullable<Status['mesh']>): string[] {
  const missing = details
    .filter(({ state }) => state !== 'Connected')
    .map(({ name, state }) => `${name} (${state})`);
  return [
    `Mesh: ${connected} of ${peers} peers${mtu === undefined ? '' : `, MTU ${mtu}`}`,
    ...(missing.length > 0 ? [`  without a tunnel: ${missing.join(', ')}`] : []),
    ...(problem === undefined ? [] : [`  ${problem}`]),
  ];
}

function certificates(
  { certificates: count, nextExpiry, nextExpiring }: NonNullable<Status['pki']>,
  now: number,
): string {
  if (nextExpiry === undefined) return `Certificates: ${count}`;
  const left = Date.parse(nextExpiry) - now;
  const when = left > 0 ? `ends in ${age(left)}` : `ended ${age(-left)} ago`;
  return `Certificates: ${count}; the first ${when} (${nextExpiring})`;
}

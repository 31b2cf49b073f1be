/** Ports of the mesh that something else on the nodes is known to use. Those of Kubernetes are refused by the CRD. */
import type { NixCluster, WireguardMesh } from '../../crds/index.ts';
import { endpointOfNode, portIn } from './endpoint.ts';
import type { Conflict } from './externals.ts';
import type { Member } from './members.ts';

export function portConflict(
  { spec }: WireguardMesh,
  cluster: NixCluster,
  members: readonly Member[],
): Conflict | undefined {
  const ports = [spec.listenPort, spec.listenPort + 1];
  const taken = (words: string): Conflict => ({
    reason: 'MeshPortTaken',
    message: `${words}; the mesh needs the UDP ports ${ports.join(' and ')}: choose another spec.listenPort`,
  });
  const { port } = cluster.spec.endpoint;
  if (ports.includes(port)) return taken(`port ${port} is that of the cluster's endpoint`);
  const ssh = members.find(({ node }) => ports.includes(node.spec.ssh.port))?.node;
  if (ssh) return taken(`port ${ssh.spec.ssh.port} is that of SSH on ${ssh.metadata.name}`);
  const last = members.find(
    ({ node }) => portIn(endpointOfNode(node, spec.listenPort) ?? ':1') > 65_534,
  )?.node;
  if (!last) return undefined;
  const message = `${last.metadata.name}: the port of spec.mesh.endpoint has no next one, which serves while keys are rotated: choose another`;
  return { reason: 'MeshPortTaken', message };
}

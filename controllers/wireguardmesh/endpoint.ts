/** Where a party is dialled, as wg(8) writes it: `host:port`, with an IPv6 address in brackets. */
import { type ExternalPeer, isAddress, type NixNode } from '../../crds/index.ts';

export const endpointText = (host: string, port: number): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

export const endpointOfPeer = ({ endpoint }: ExternalPeer): string | null =>
  endpoint === undefined ? null : endpointText(endpoint.host, endpoint.port);

/**
 * What `spec.mesh.endpoint` says; else the mesh's port at `ssh.host`, if that is an address; else at the first of
 * `spec.addresses`, which needs no name to be resolved while a host boots. Undefined behind NAT: it is never dialled.
 */
export function endpointOfNode({ spec }: Pick<NixNode, 'spec'>, listenPort: number): string | undefined {
  if (spec.mesh.behindNAT) return undefined;
  if (spec.mesh.endpoint !== undefined) return spec.mesh.endpoint;
  const host = isAddress(spec.ssh.host) ? spec.ssh.host : (spec.addresses[0] ?? spec.ssh.host);
  return endpointText(host, listenPort);
}

/** Of `host:port`. */
export const portIn = (endpoint: string): number => Number(endpoint.slice(endpoint.lastIndexOf(':') + 1));

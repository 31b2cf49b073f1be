/** The file by which a host knows its frontends (nix/modules/kubernetes/frontends.sh). Pure. */
import { createHash } from 'node:crypto';
import type { ClusterFrontend } from '../../crds/index.ts';
import { printAddress } from '../lib/core/network.ts';
import { bindsOf } from './placement.ts';

/** Lines of one frontend. Everything in them has passed the schema, which lets nothing through that separates words. */
function linesOf(frontend: ClusterFrontend): string[] {
  const { metadata, spec } = frontend;
  const { service, maxServers, proxyProtocol } = spec.backend;
  const balance = `${spec.mode} ${spec.balance} ${maxServers} ${proxyProtocol ? 'PROXY' : 'PLAIN'}`;
  const binds = bindsOf(frontend).map(
    ({ address, port }) => `bind ${metadata.name} ${address === null ? '*' : printAddress(address)} ${port}`,
  );
  return [
    `frontend ${metadata.name} ${balance} ${service.namespace} ${service.name} ${service.port}`,
    ...binds.sort(),
  ];
}

/** By name, so that the same frontends are the same bytes. */
export const frontendsFile = (frontends: readonly ClusterFrontend[]): string =>
  [...frontends]
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
    .flatMap(linesOf)
    .map((line) => `${line}\n`)
    .join('');

/** Tells whether a host has a frontend as it is wanted now. */
export const digestOf = (frontend: ClusterFrontend): string =>
  createHash('sha256').update(linesOf(frontend).join('\n')).digest('hex');

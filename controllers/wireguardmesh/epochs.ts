/**
 * Generations of node keys. Each has a device and a UDP port of its own, so that the next one works before the former
 * goes: an AllowedIP belongs to one peer of a device, and keys cannot be changed under a tunnel that is in use.
 */
import type { WireguardMesh } from '../../crds/index.ts';
import { ReconcileError } from '../lib/core/outcome.ts';
import { portIn } from './endpoint.ts';

type Devices = Pick<WireguardMesh['spec'], 'interface' | 'listenPort'>;

/** What hosts keep keys and a device for. Of several, traffic goes by the one that is `active`. */
export type Listed = { readonly epoch: number; readonly active: boolean };

const isOdd = (epoch: number): boolean => epoch % 2 === 1;

/** Two epochs that follow each other never share a device. */
export const deviceOf = (spec: Devices, epoch: number): string =>
  isOdd(epoch) ? spec.interface : `${spec.interface}-b`;

export const portOf = (spec: Devices, epoch: number): number => spec.listenPort + (isOdd(epoch) ? 0 : 1);

/** `endpoint`, as `host:port`, is that of odd epochs. */
export const endpointAt = (endpoint: string, epoch: number): string =>
  isOdd(epoch) ? endpoint : `${endpoint.slice(0, endpoint.lastIndexOf(':'))}:${portIn(endpoint) + 1}`;

/** Sorted. Throws `waiting` as long as it is not known which keys the hosts have: a guess would cost them the tunnel. */
export function listedEpochs(mesh: WireguardMesh): readonly Listed[] {
  const { epoch, rotation } = mesh.status ?? {};
  if (epoch === undefined) {
    throw new ReconcileError(
      'waiting',
      'MeshNotPlanned',
      `WireguardMesh ${mesh.metadata.name} does not know yet which keys its nodes have; its conditions say whom it waits for`,
    );
  }
  switch (rotation?.stage) {
    case 'Prepare':
      return [
        { epoch, active: true },
        { epoch: rotation.epoch, active: false },
      ];
    case 'Move':
      return [
        { epoch, active: false },
        { epoch: rotation.epoch, active: true },
      ];
    case 'Retire':
    case undefined:
      return [{ epoch, active: true }];
  }
}

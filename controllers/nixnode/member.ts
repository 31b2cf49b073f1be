/** What a member's release has beyond that of a host of no cluster. Pure, but for the keys that `make` makes. */
import type { KubernetesOfHost, NixCluster, NixNode } from '../../crds/index.ts';
import { digestOf } from '../clusterfrontend/file.ts';
import { leavesOf, type Subject } from '../clusterpki/leaves.ts';
import { originsOf, sharedFilesOf } from '../clusterpki/shared-files.ts';
import { signed } from '../clusterpki/signed.ts';
import type { Sealed } from '../lib/core/sealed.ts';
import type { Observation } from '../lib/host/protocol.ts';
import type { NixValue } from '../lib/nix/print.ts';
import type { DeliveredFile, SecretFile } from '../lib/nix/release.ts';
import type { Tree } from '../lib/nix/tree.ts';
import type { Issuance } from '../lib/pki/certificate.ts';
import { emptyPeersFile, type PeersFile } from '../wireguardmesh/peers.ts';
import { presharedKeysFile, presharedKeysPath } from '../wireguardmesh/preshared.ts';
import { leafFiles, makeLeaves, planLeaves } from './certificates.ts';
import { fleetData } from './fleet-data.ts';
import { kubernetesRecord } from './kubernetes-packages.ts';
import { type ReleaseRecord, readRecord } from './manifest.ts';
import { memberValues } from './member-values.ts';
import type { Membership, Mesh } from './membership.ts';

export type MemberParts = {
  /** Options below `firn`. */
  values: { [option: string]: NixValue };
  data: Tree;
  files: readonly SecretFile[];
  /** Contents of the files that are named by their purpose and that the host does not have, by path. */
  make(): Promise<ReadonlyMap<string, Sealed<Uint8Array>>>;
  /** Which Kubernetes its system has. */
  kubernetes: KubernetesOfHost;
  record: ReleaseRecord;
};

export function memberParts(
  node: NixNode,
  { cluster, place, mesh, pki, frontends }: Membership,
  seen: Observation,
  issuance: Issuance,
): MemberParts {
  const { object, material } = pki;
  const subject: Subject = {
    node: node.metadata.name,
    roles: node.spec.roles,
    addresses: place.addresses,
    underlayAddresses: place.underlayAddresses,
    cluster: {
      name: cluster.metadata.name,
      domain: cluster.spec.network.domain,
      endpointHost: cluster.spec.endpoint.host,
      services: cluster.spec.network.services,
      cni: cluster.spec.network.cni,
    },
  };
  const kubernetes = kubernetesRecord(cluster, place, readRecord(seen.manifestB64));
  const plans = planLeaves(leavesOf(subject), material, object.spec, seen, node.metadata.uid, issuance.now);
  return {
    values: memberValues(node, cluster, place, mesh?.object ?? null),
    data: fleetData(
      cluster,
      mesh && peersOf(mesh, cluster, node.metadata.name),
      node.metadata.name,
      frontends,
    ),
    files: [
      ...leafFiles(plans),
      ...sharedFilesOf(subject, material),
      ...(mesh ? presharedKeys(mesh, node.metadata.name) : []),
    ],
    make: () => signed(makeLeaves(plans, material, object.spec, issuance)),
    kubernetes,
    record: {
      kubernetes,
      cluster: { name: cluster.metadata.name, index: place.index },
      podsRestOn: podsRestOn(cluster, place),
      leaves: Object.fromEntries(plans.map(({ leaf, record }) => [leaf.certificatePath, record])),
      origins: originsOf(subject, material),
      ...(frontends.length > 0 && {
        frontends: Object.fromEntries(frontends.map((one) => [one.metadata.name, digestOf(one)])),
      }),
    },
  };
}

/** Upstream drains a node before its kubelet moves to another minor version. */
const podsRestOn = (
  { spec: { runtime, network, kubelet } }: NixCluster,
  { kubernetes }: Membership['place'],
): string => [kubernetes?.kubelet ?? '', runtime, network.cni, kubelet.cgroupDriver ?? 'systemd'].join(' ');

/** Throws `waiting` (`MeshNotPlanned`) while the mesh does not know which keys are in use: hosts say so first. */
const peersOf = ({ object, peers }: Mesh, cluster: NixCluster, self: string): PeersFile =>
  peers ?? emptyPeersFile(object, cluster, self);

function presharedKeys({ object, secret }: Mesh, self: string): DeliveredFile[] {
  if (secret === null) return [];
  const content = presharedKeysFile(object, self, secret);
  const owner = { owner: 'root', group: 'root', mode: 0o400 };
  const units = { restartUnits: [], reloadUnits: ['firn-mesh.service'] };
  return [{ ...owner, ...units, path: presharedKeysPath, content }];
}

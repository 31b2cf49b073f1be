/** What a member's system is told of Kubernetes: of this node and of the cluster as a whole, never of other nodes. Pure. */
import { type ClusterNode, isAddress, type NixCluster, type NixNode } from '../../crds/index.ts';
import { contains, hostNetwork, parseAddress, parseNetwork } from '../lib/core/network.ts';
import { ReconcileError } from '../lib/core/outcome.ts';
import type { NixValue } from '../lib/nix/print.ts';
import { controlPlanesOf, nodeAddressesOf } from '../nixcluster/control-planes.ts';
import { taintsOf } from '../nixcluster/plan-node.ts';
import { checkSettings } from '../nixcluster/settings.ts';
import { versionValues } from './kubernetes-packages.ts';

type Values = { [option: string]: NixValue };

/** Options below `firn.kubernetes`. Throws terminal where the cluster asks for what no host can be. */
export function kubernetesValues(node: NixNode, cluster: NixCluster, place: ClusterNode): Values {
  checkSettings(cluster);
  checkDatastore(node, cluster);
  const { spec } = cluster;
  const { controlPlane, datastore, network } = spec;
  return {
    enable: true,
    roles: [...node.spec.roles].sort(),
    nodeName: node.metadata.name,
    versions: versionValues(place),
    podSubnets: place.podCIDRs,
    runtime: spec.runtime,
    cni: cniOf(node, cluster),
    ...(network.cni === 'Flannel' && { nodeAddresses: nodeAddressesOf(cluster, place) }),
    datastore: datastore.type,
    compactionInterval: datastore.compactionInterval,
    etcd: etcdValues(cluster),
    apiServer: {
      encryptSecrets: controlPlane.encryptionAtRest === 'Secretbox',
      extraArgs: controlPlane.apiServer.extraArgs,
      openFirewall: isReachedFromOutside(cluster),
    },
    controllerManager: { extraArgs: controlPlane.controllerManager.extraArgs },
    scheduler: { extraArgs: controlPlane.scheduler.extraArgs },
    kubelet: {
      settings: spec.kubelet as Values,
      labels: registeredLabels(node.spec.kubernetes.labels),
      taints: taintsOf(cluster, node),
    },
    kubeProxy: {
      nodePortAddresses: network.nodePortAddresses,
      // Who names networks for node ports means those who come from outside to those addresses.
      openNodePorts: network.nodePortAddresses.length > 0,
    },
  };
}

/** kine's file is on one host. A second control plane would have a cluster of its own, and not know it. */
function checkDatastore(node: NixNode, cluster: NixCluster): void {
  if (cluster.spec.datastore.type !== 'SQLite' || !node.spec.roles.includes('control-plane')) return;
  const [first, ...others] = controlPlanesOf(cluster).sort((a, b) => a.index - b.index);
  if (others.length === 0 || first!.name === node.metadata.name) return;
  const message = `NixCluster ${cluster.metadata.name} keeps its objects in SQLite, which has room for one control-plane node, and ${first!.name} is that: take the role control-plane from this NixNode, or make a cluster with datastore.type Etcd`;
  throw new ReconcileError('terminal', 'OneControlPlaneOnly', message);
}

/** Flannel takes a node's subnet from its Node, which a frontend alone does not have. */
function cniOf(node: NixNode, { metadata, spec }: NixCluster): 'Bridge' | 'Flannel' | 'None' {
  const { cni } = spec.network;
  const hasNode = node.spec.roles.some((role) => role !== 'frontend');
  if (cni !== 'Flannel' || hasNode) return cni;
  const message = `NixCluster ${metadata.name} has network.cni Flannel, which only reaches nodes that run pods: give this NixNode the role worker, too, or use a mesh`;
  throw new ReconcileError('terminal', 'CniNotSupported', message);
}

/** An etcd that is alone needs no network. None begins by itself: the cluster decides who does. */
function etcdValues(cluster: NixCluster): Values {
  const { etcd } = cluster.status ?? {};
  return {
    transport: etcd?.transport ?? (controlPlanesOf(cluster).length > 1 ? 'TLS' : 'Socket'),
    clusterFile: '/run/firn/current/data/etcd-cluster',
  };
}

/** The endpoint is what users wrote to be reached; not if nobody outside has a way to such an address or name. */
function isReachedFromOutside({ spec }: NixCluster): boolean {
  const { host } = spec.endpoint;
  const { domain, pods } = spec.network;
  if (!isAddress(host)) return host !== 'localhost' && !host.endsWith(`.${domain}`);
  const endpoint = hostNetwork(parseAddress(host));
  const inside = [...pods.map(({ cidr }) => cidr), '127.0.0.0/8', '::1/128'].map(parseNetwork);
  return !inside.some((network) => contains(network, endpoint));
}

/** kubelet.kubernetes.io and node.kubernetes.io: all that a kubelet may say of itself below kubernetes.io and k8s.io. */
const ofKubelets = /^([^/]+\.)?(kubelet|node)\.kubernetes\.io\//;
const wellKnown = ['topology.kubernetes.io/region', 'topology.kubernetes.io/zone'];
const ofKubernetes = /^([^/]+\.)?(kubernetes|k8s)\.io\//;

/** Labels that the kubelet may register; it does not start with others, which the Node gets from outside. */
const registeredLabels = (labels: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(labels).filter(
      ([key]) => !ofKubernetes.test(key) || ofKubelets.test(key) || wellKnown.includes(key),
    ),
  );

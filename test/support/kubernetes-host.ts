/** A host of a dual-stack cluster with Kubernetes' modules, as a user would write it by hand. */

export type KubernetesHost = {
  roles?: string;
  datastore?: 'Etcd' | 'SQLite';
  runtime?: 'CRIO' | 'Containerd';
  /** Further definitions, as Nix. */
  more?: string;
};

export const kubernetesHost = ({
  roles = '"control-plane" "worker"',
  datastore = 'Etcd',
  runtime = 'Containerd',
  more = '',
}: KubernetesHost = {}): string => `{ lib, ... }: {
  networking.hostName = lib.mkForce "node1";
  firn.network = {
    enable = true;
    nodeAddresses = [ "fd88:1::1/32" "10.88.1.1/24" ];
    podNetworks = [ "fd88::/16" "10.88.0.0/16" ];
    serviceNetworks = [ "10.88.0.0/24" ];
    routing = "External";
  };
  firn.dns = { enable = true; domain = "k8s.internal"; };
  firn.kubernetes = {
    enable = true;
    roles = [ ${roles} ];
    datastore = "${datastore}";
    runtime = "${runtime}";
    podSubnets = [ "fd88:1::/32" "10.88.1.0/24" ];
  };
  imports = [ { ${more} } ];
}`;

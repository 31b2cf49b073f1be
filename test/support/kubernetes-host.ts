/** A host of a dual-stack cluster with Kubernetes' modules, as a user would write it by hand, and what they make of it. */
import { evaluateHost } from './stand-in.ts';

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
}: KubernetesHost = {}): string => `{ lib, pkgs, ... }: {
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

/** Evaluates an expression for such a host, as `evaluateHost` does; with all that a build checks. */
export const lookAt = (host: KubernetesHost, expression: string): Promise<unknown> =>
  evaluateHost(kubernetesHost(host), `checked (${expression})`);

/** The flags of a unit's program by name; one that is repeated, as a list. */
export async function flagsOf(
  unit: string,
  host: KubernetesHost = {},
): Promise<Record<string, string | string[]>> {
  const line = (await lookAt(host, `config.systemd.services.${unit}.serviceConfig.ExecStart`)) as string;
  const flags: Record<string, string | string[]> = {};
  for (const [, name, value] of line.matchAll(/"--([^=]+)=([^"]*)"/g)) {
    const before = flags[name!];
    flags[name!] = before === undefined ? value! : [before, value!].flat();
  }
  return flags;
}

/** A component's configuration, by the name of its file. */
export const configOf = async (name: string, host: KubernetesHost = {}) =>
  JSON.parse((await lookAt(host, `config.environment.etc."kubernetes/${name}".text`)) as string);

/** A bootstrap cluster, the operator, and hosts that boot: what every test of a NixNode on a real host needs. */
import { readFileSync } from 'node:fs';
import type { NixNode } from '../../crds/index.ts';
import { startTestCluster, type TestCluster } from './cluster.ts';
import { installFirn, type RunningFirn, startFirn } from './firn.ts';
import { apply, nodeManifest, sshKeySecret } from './fleet.ts';
import { type StartOptions, startHosts, type TestHost } from './hosts/start.ts';

export type Booted = AsyncDisposable & {
  cluster: TestCluster;
  hosts: TestHost[];
  /** Null while a test has stopped it. */
  operator: RunningFirn | null;
};

/** What an installer would have written for the host: disks, boot loader, network. */
export const hardware = `{ ... }: {
  networking.useNetworkd = true;
  networking.useDHCP = false;
  fileSystems."/" = { device = "/dev/disk/by-label/nixos"; fsType = "ext4"; };
  boot.loader.systemd-boot.enable = true;
  nix.settings.sandbox = false;
}
`;

export async function startBooted(options: {
  names: string[];
  operator?: 'started' | 'later';
  /** Default: NixOS without Kubernetes' programs. */
  hosts?: Pick<StartOptions, 'flavour' | 'family' | 'prepare'>;
}): Promise<Booted> {
  await using stack = new AsyncDisposableStack();
  const cluster = stack.use(await startTestCluster());
  const hosts = stack.use(
    await startHosts({
      count: options.names.length,
      names: options.names,
      ...(options.hosts ?? { flavour: 'nixos' }),
    }),
  ).hosts;
  await installFirn(cluster);
  await apply(cluster, sshKeySecret(readFileSync(hosts[0]!.adminKeyFile, 'utf8')));
  const booted: Booted = {
    cluster,
    hosts,
    operator: null,
    [Symbol.asyncDispose]: async () => {
      await booted.operator?.stop();
      await owned.disposeAsync();
    },
  };
  const owned = stack.move();
  if (options.operator !== 'later') booted.operator = await startFirn(cluster);
  return booted;
}

/** The NixNode of a host: its hardware, and whatever the test adds. */
export const bootedNode = (host: TestHost, spec: Partial<NixNode['spec']> | object = {}): object => {
  const { modules = [], ...rest } = spec as { modules?: object[] };
  return nodeManifest(host.name, host, {
    nixpkgs: { url: 'path:/srv/nixpkgs' },
    modules: [{ inline: hardware }, ...modules],
    ...rest,
  });
};

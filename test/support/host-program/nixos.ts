import { readFileSync } from 'node:fs';
import { renderBundle } from '../../../controllers/lib/nix/bundle.ts';
import { parseLocked } from '../../../controllers/lib/nix/flake-lock.ts';
import { readFirnModules } from '../../../controllers/lib/nix/modules.ts';
import type { Tree } from '../../../controllers/lib/nix/tree.ts';
import type { TestHost } from '../hosts/test-host.ts';
import type { Driver } from './driver.ts';
import type { Operator } from './operator.ts';

const url = 'path:/srv/nixpkgs';

const hardware = `{
  networking.useNetworkd = true;
  networking.useDHCP = false;
  fileSystems."/" = { device = "/dev/disk/by-label/nixos"; fsType = "ext4"; };
  boot.loader.systemd-boot.enable = true;
  nix.settings.sandbox = false;
}
`;

/** Renders systems of the stand-in for NixOS as the operator does; the host resolves its nixpkgs first. */
export async function nixosBundles(
  host: TestHost,
  driver: Driver,
  operator: Operator,
): Promise<(module: string) => Tree> {
  await driver.call('resolve', { ...operator.fencing, url, refresh: '' });
  const { resolve } = await operator.until(
    'resolved',
    (seen) => ![undefined, 'Running'].includes(seen.resolve?.state),
  );
  if (resolve?.state !== 'Succeeded') throw new Error(`not resolved: ${resolve?.messageB64}`);
  const locked = parseLocked(JSON.parse(resolve.lockedB64));
  const authorizedKeys = [readFileSync(`${host.adminKeyFile}.pub`, 'utf8').trim()];
  const firnModules = readFirnModules();
  return (module) =>
    renderBundle({
      ...{ system: 'x86_64-linux', hostName: host.name, stateVersion: '26.05', firnModules },
      nixpkgs: { url, locked },
      ssh: { user: 'root', port: 22, authorizedKeys },
      modules: [hardware, module].map((text, priority) => ({
        kind: 'NixNode',
        name: host.name,
        key: `m${priority}`,
        priority,
        text,
      })),
    });
}

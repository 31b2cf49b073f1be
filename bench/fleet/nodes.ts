/** The NixNodes of a measured fleet: each one host, one inline module, nixpkgs pinned, everything else by default. */
import { nodeManifest } from '../../test/support/fleet.ts';

export type HostLogin = { address: string; port: number; hostKey: string };

/** A manifest as `kubectl apply` sends it. */
export type Manifest = {
  metadata: { name: string; namespace: string };
  spec: Record<string, unknown>;
};

/** Pinned, so that no host is asked. Neither has to exist: nothing is built. */
export const nixpkgs = {
  url: 'github:NixOS/nixpkgs/nixos-26.05',
  rev: '0123456789abcdef0123456789abcdef01234567',
  narHash: `sha256-${'A'.repeat(43)}=`,
};

const module = `{ modulesPath, ... }: {
  imports = [ (modulesPath + "/profiles/qemu-guest.nix") ];
  fileSystems."/" = { device = "/dev/vda1"; fsType = "ext4"; };
  boot.loader.grub.device = "/dev/vda";
}
`;

export const nodeName = (index: number): string => `node-${String(index).padStart(6, '0')}`;

export const manifestOf = (index: number, login: HostLogin): Manifest =>
  nodeManifest(nodeName(index), login, { nixpkgs, modules: [{ inline: module }] }) as Manifest;

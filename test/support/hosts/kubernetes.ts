import { copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Asset, type AssetName, nextKubernetes } from '../../../bootstrap/assets.ts';
import { buildAsset } from '../../../bootstrap/build.ts';
import { type Layer, layer } from './layer.ts';
import { nixosHost } from './nixos.ts';
import { offline } from './offline.ts';
import { userlandFile } from './userland.ts';

/** What test/nixos/pkgs/kubernetes.nix has packages for. */
const programs: readonly AssetName[] = [
  ...(['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubectl'] as const),
  ...(['kubelet', 'kube-proxy', 'etcd', 'etcdctl', 'kine'] as const),
  ...(['containerd', 'containerd-shim-runc-v2', 'ctr', 'crictl'] as const),
  ...(['bridge', 'loopback', 'host-local', 'portmap', 'flannel'] as const),
];

const recipe = readFileSync(import.meta.filename, 'utf8');

/** A NixOS host whose nixpkgs has Kubernetes, and what goes with it. A quarter of an hour the first time. */
export async function kubernetesHost(): Promise<Layer> {
  const files = new Map<string, string>();
  for (const name of programs) files.set(name, await buildAsset(name));
  return layer('kubernetes', recipe + named(files), await nixosHost(), async (root) => {
    const path = await addPrograms(root, 'kubernetes-programs', files);
    writeFileSync(join(root, 'srv/nixpkgs/kubernetes-programs'), `${path}\n`);
  });
}

/** The same with a second nixpkgs, whose Kubernetes is one minor above. Ten minutes more the first time. */
export async function upgradeHost(): Promise<Layer> {
  const files = new Map([['kubectl', await buildAsset('kubectl')]]);
  for (const [name, asset] of Object.entries(nextKubernetes) as [AssetName, Asset][])
    files.set(name, await buildAsset(name, { asset }));
  return layer('kubernetes-next', recipe + named(files), await kubernetesHost(), async (root) => {
    const path = await addPrograms(root, 'kubernetes-programs-next', files);
    const folder = join(root, 'srv/nixpkgs-kubernetes-next');
    cpSync(join(root, 'srv/nixpkgs'), folder, { recursive: true });
    writeFileSync(join(folder, 'kubernetes-programs-next'), `${path}\n`);
  });
}

const named = (files: ReadonlyMap<string, string>): string =>
  [...files.values()].map((file) => file.split('/').slice(-2)).join(' ');

/** Into the host's store, for good; the store path. */
async function addPrograms(root: string, name: string, files: ReadonlyMap<string, string>): Promise<string> {
  const staging = `staging/${name}`;
  mkdirSync(join(root, staging, 'bin'), { recursive: true });
  for (const [program, file] of files) copyFileSync(file, join(root, staging, 'bin', program));
  const userland = readFileSync(join(root, userlandFile), 'utf8').trim();
  const { stdout } = await offline(root, `${userland}/bin`, `nix-store --add /${staging}`);
  const path = stdout.trim();
  rmSync(join(root, dirname(staging)), { recursive: true });
  symlinkSync(path, join(root, 'nix/var/nix/gcroots', name));
  return path;
}

/**
 * Arguments of systemd-nspawn(1) for a machine that runs containers. Their layers and volumes are on the machine's own file
 * system: an overlay cannot lie on top of an overlay.
 */
export function ofContainers(root: string): string[] {
  const binds = ['containerd', 'kubelet'].map((name) => {
    const folder = join(dirname(root), 'data', name);
    mkdirSync(folder, { recursive: true });
    return `--bind=${folder}:/var/lib/${name}`;
  });
  return [...binds, '--bind-ro=/dev/kmsg', '--system-call-filter=@keyring bpf perf_event_open'];
}

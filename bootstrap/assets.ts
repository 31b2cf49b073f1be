import { join } from 'node:path';

/** A program that is built from a Go module of `bootstrap/assets`. */
export type Asset = {
  /** Folder of `bootstrap/assets` with the `go.mod` and `go.sum` that fix every dependency. */
  module: string;
  /** The Go package of the program. */
  package: string;
  version: string;
  ldflags: string;
  /** Whether a part of it is C, for which there must be a compiler. */
  cgo?: true;
  /** With these the program prints a text that contains its version. */
  versionArguments: readonly string[];
  /** What a first build takes on two cores, with nothing in Go's caches. */
  typicalSeconds: number;
};

/** Who looks for one of these elsewhere sets `FIRN_ASSETS` to a folder that holds it by its name. */
export const assets = {
  'kube-apiserver': { ...kubernetes('kube-apiserver', 240), versionArguments: ['--version'] },
  kubectl: { ...kubernetes('kubectl', 30), versionArguments: ['version', '--client'] },
  etcd: {
    module: 'etcd',
    package: 'go.etcd.io/etcd/server/v3',
    version: '3.6.16',
    ldflags: '-s -w',
    versionArguments: ['--version'],
    typicalSeconds: 45,
  },
  helm: {
    module: 'helm',
    package: 'helm.sh/helm/v4/cmd/helm',
    version: '4.3.1',
    ldflags: '-s -w -X helm.sh/helm/v4/internal/version.version=v4.3.1',
    versionArguments: ['version', '--template', '{{.Version}}'],
    typicalSeconds: 105,
  },
  // Those that hosts of tests have in place of nixpkgs' packages; nothing else asks for them.
  'wireguard-go': {
    module: 'network',
    package: 'golang.zx2c4.com/wireguard',
    version: '0.0.20250522',
    ldflags: '-s -w',
    versionArguments: ['--version'],
    typicalSeconds: 5,
  },
  coredns: {
    module: 'network',
    package: 'github.com/coredns/coredns',
    version: '1.14.7',
    ldflags: '-s -w',
    versionArguments: ['-version'],
    typicalSeconds: 100,
  },
  etcdctl: {
    module: 'etcdctl',
    package: 'go.etcd.io/etcd/etcdctl/v3',
    version: '3.6.16',
    ldflags: '-s -w',
    versionArguments: ['version'],
    typicalSeconds: 20,
  },
  'kube-controller-manager': onHosts('kube-controller-manager', 105),
  'kube-scheduler': onHosts('kube-scheduler', 15),
  'kube-proxy': onHosts('kube-proxy', 15),
  kubelet: onHosts('kubelet', 30),
  containerd: containerd('containerd', ['--version'], 60),
  'containerd-shim-runc-v2': containerd('containerd-shim-runc-v2', ['-v'], 10),
  ctr: containerd('ctr', ['--version'], 10),
  crictl: {
    module: 'crictl',
    package: 'sigs.k8s.io/cri-tools/cmd/crictl',
    version: '1.36.0',
    ldflags: '-s -w -X sigs.k8s.io/cri-tools/pkg/version.Version=v1.36.0',
    versionArguments: ['--version'],
    typicalSeconds: 30,
  },
  bridge: cni('main/bridge'),
  loopback: cni('main/loopback'),
  'host-local': cni('ipam/host-local'),
  portmap: cni('meta/portmap'),
  flannel: {
    module: 'flannel',
    package: 'github.com/flannel-io/flannel',
    version: '0.28.10',
    ldflags: '-s -w -X github.com/flannel-io/flannel/pkg/version.Version=v0.28.10',
    // Of one backend that is not used here.
    cgo: true,
    versionArguments: ['--version'],
    typicalSeconds: 90,
  },
  kine: {
    module: 'kine',
    package: 'github.com/k3s-io/kine',
    version: '0.16.4',
    ldflags: '-s -w -X github.com/k3s-io/kine/pkg/version.Version=v0.16.4',
    cgo: true,
    versionArguments: ['--version'],
    typicalSeconds: 95,
  },
} as const satisfies Record<string, Asset>;

export type AssetName = keyof typeof assets;

/** The minor above that of `assets`, for upgrades: the programs that an upgrade replaces. kubectl is none of them. */
export const nextKubernetes = {
  'kube-apiserver': next('kube-apiserver', 240),
  'kube-controller-manager': next('kube-controller-manager', 105),
  'kube-scheduler': next('kube-scheduler', 15),
  'kube-proxy': next('kube-proxy', 15),
  kubelet: next('kubelet', 30),
} as const satisfies Partial<Record<AssetName, Asset>>;

function kubernetes(
  program: string,
  typicalSeconds: number,
  release = '1.36.3',
): Omit<Asset, 'versionArguments'> {
  // Without these the programs call themselves v0.0.0-master, and clients adapt to that.
  const version = 'k8s.io/component-base/version';
  const [major, minor] = release.split('.');
  return {
    module: 'kubernetes',
    package: `k8s.io/kubernetes/cmd/${program}`,
    version: release,
    ldflags: `-s -w -X ${version}.gitVersion=v${release} -X ${version}.gitMajor=${major} -X ${version}.gitMinor=${minor}`,
    typicalSeconds,
  };
}

function next(program: string, typicalSeconds: number): Asset {
  return {
    ...kubernetes(program, typicalSeconds, '1.37.1'),
    module: 'kubernetes-1.37',
    versionArguments: ['--version'],
  };
}

/** A module of its own, so that whoever needs an API server and nothing else need not build it anew for these. */
function onHosts(program: string, typicalSeconds: number): Asset {
  return {
    ...kubernetes(program, typicalSeconds),
    module: 'kubernetes-hosts',
    versionArguments: ['--version'],
  };
}

function containerd(program: string, versionArguments: string[], typicalSeconds: number): Asset {
  const module = 'github.com/containerd/containerd/v2';
  return {
    module: 'containerd',
    package: `${module}/cmd/${program}`,
    version: '2.4.2',
    ldflags: `-s -w -X ${module}/version.Version=2.4.2`,
    versionArguments,
    typicalSeconds,
  };
}

function cni(program: string): Asset {
  const module = 'github.com/containernetworking/plugins';
  return {
    module: 'cni',
    package: `${module}/plugins/${program}`,
    version: '1.9.1',
    ldflags: `-s -w -X ${module}/pkg/utils/buildversion.BuildVersion=v1.9.1`,
    // A plugin that is told nothing says what it is.
    versionArguments: [],
    typicalSeconds: 5,
  };
}

/** Where a module's `go.mod` and `go.sum` are. */
export const moduleDirectory = (module: string): string => join(import.meta.dirname, 'assets', module);

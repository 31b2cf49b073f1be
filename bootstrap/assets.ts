import { join } from 'node:path';

/** A program that is built from a Go module of `bootstrap/assets`. */
export type Asset = {
  /** Folder of `bootstrap/assets` with the `go.mod` and `go.sum` that fix every dependency. */
  module: string;
  /** The Go package of the program. */
  package: string;
  version: string;
  ldflags: string;
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
  // The two that hosts of tests have in place of nixpkgs' packages; nothing else asks for them.
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
} as const satisfies Record<string, Asset>;

export type AssetName = keyof typeof assets;

function kubernetes(program: string, typicalSeconds: number): Omit<Asset, 'versionArguments'> {
  // Without these the programs call themselves v0.0.0-master, and clients adapt to that.
  const version = 'k8s.io/component-base/version';
  return {
    module: 'kubernetes',
    package: `k8s.io/kubernetes/cmd/${program}`,
    version: '1.36.3',
    ldflags: `-s -w -X ${version}.gitVersion=v1.36.3 -X ${version}.gitMajor=1 -X ${version}.gitMinor=36`,
    typicalSeconds,
  };
}

/** Where a module's `go.mod` and `go.sum` are. */
export const moduleDirectory = (module: string): string => join(import.meta.dirname, 'assets', module);

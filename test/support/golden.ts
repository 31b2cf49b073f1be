/** Cases of test/golden: what users wrote in `input.yaml`, and the bundle that is rendered from it in `bundle/`. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { Sealed } from '../../controllers/lib/core/sealed.ts';
import { lockedFromPin } from '../../controllers/lib/nix/flake-lock.ts';
import type { Tree } from '../../controllers/lib/nix/tree.ts';
import { desiredRelease } from '../../controllers/nixnode/desired.ts';
import { kubernetesRecord } from '../../controllers/nixnode/kubernetes-packages.ts';
import type { MemberParts } from '../../controllers/nixnode/member.ts';
import { memberValues } from '../../controllers/nixnode/member-values.ts';
import { NixCluster, NixModule, NixNode, WireguardMesh } from '../../crds/index.ts';

const folder = join(import.meta.dirname, '../golden');

export const goldenCases = (): string[] =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();

type Raw = {
  kind: string;
  metadata: { name: string };
  data?: Record<string, string>;
  stringData?: Record<string, string>;
};

/** The system part of the release that the case's NixNode is to have. */
export function renderCase(name: string, firnModules: Tree): Tree {
  const objects = parseAllDocuments(readFileSync(join(folder, name, 'input.yaml'), 'utf8')).map(
    (document) => document.toJS() as Raw,
  );
  const ofKind = (kind: string) => objects.filter((object) => object.kind === kind).map(asServed);
  const node = NixNode.parse(ofKind('NixNode')[0]);
  const cluster = ofKind('NixCluster').map((raw) => NixCluster.parse(raw))[0];
  const mesh = ofKind('WireguardMesh').map((raw) => WireguardMesh.parse(raw))[0];
  const { url, rev, narHash } = (node.spec.nixpkgs ?? cluster?.spec.nixpkgs)!;
  const value = (kind: string, of: string, key: string): Uint8Array => {
    const { data, stringData } = ofKind(kind).find(({ metadata }) => metadata.name === of) ?? {};
    const text = (kind === 'Secret' ? stringData : data)?.[key];
    if (text === undefined) throw new Error(`${name}/input.yaml has no ${kind} ${of} with a key ${key}`);
    return new TextEncoder().encode(text);
  };
  return desiredRelease({
    node,
    modules: ofKind('NixModule').map((raw) => NixModule.parse(raw)),
    content: {
      configMap: (of, key) => value('ConfigMap', of, key),
      secret: (of, key) => new Sealed(value('Secret', of, key)),
    },
    system: node.spec.system ?? 'x86_64-linux',
    nixpkgs: { url, locked: lockedFromPin(url, { ...(rev && { rev }), ...(narHash && { narHash }) }) },
    member: memberOf(node, cluster, mesh ?? null),
    authorizedKeys: ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f firn'],
    firnModules,
    hmacKey: new Sealed(new Uint8Array(32)),
  }).tree('system');
}

/** What the system is told of the cluster; fleet data and secrets are other parts. */
function memberOf(
  node: NixNode,
  cluster: NixCluster | undefined,
  mesh: WireguardMesh | null,
): MemberParts | null {
  const place = cluster?.status?.nodes?.find(({ name }) => name === node.metadata.name);
  if (!cluster || !place) return null;
  const values = memberValues(node, cluster, place, mesh);
  const kubernetes = kubernetesRecord(cluster, place, {});
  return { values, data: new Map(), files: [], make: async () => new Map(), kubernetes, record: {} };
}

/** What an API server adds. */
const asServed = (raw: Raw): Raw => ({
  ...raw,
  metadata: { ...raw.metadata, uid: `uid-of-${raw.metadata.name}`, resourceVersion: '1' } as Raw['metadata'],
});

/** The files that are kept of a case: all but Firn's own modules, which have their own tests. */
export function expectedBundle(name: string): Map<string, string> {
  const root = join(folder, name, 'bundle');
  if (!existsSync(root)) return new Map();
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => relative(root, join(entry.parentPath, entry.name))).sort();
  return new Map(paths.map((path) => [path, readFileSync(join(root, path), 'utf8')]));
}

export const withoutFirnModules = (bundle: Tree): Map<string, string> =>
  new Map(
    [...bundle].filter(([path]) => !path.startsWith('firn/')).map(([path, text]) => [path, String(text)]),
  );

export function updateCase(name: string, bundle: ReadonlyMap<string, string>): void {
  const root = join(folder, name, 'bundle');
  rmSync(root, { recursive: true, force: true });
  for (const [path, content] of bundle) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
}

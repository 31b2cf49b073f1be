/**
 * Which frontends a node serves. Pure, and of specs alone: whoever asks gets the same answer, whatever statuses were lost.
 * Of two that want the same port at the same address the older one has it, as it had it before the other came.
 */
import { type Bind, type ClusterFrontend, type NixNode, parseBind, selects } from '../../crds/index.ts';
import { printAddress } from '../lib/core/network.ts';

export const refusalReasons = ['BindTaken', 'TooManyFrontends'] as const;

/** A frontend that a node does not serve, and why. */
export type Refusal = {
  readonly frontend: string;
  readonly node: string;
  readonly reason: (typeof refusalReasons)[number];
  readonly message: string;
};

export type Placement = {
  readonly served: readonly ClusterFrontend[];
  readonly refused: readonly Refusal[];
};

/** As many as nix/modules/kubernetes/frontends.sh takes. */
const maxFrontends = 256;

/** Where it listens, each once: every address of a host has those that are named as well. */
export function bindsOf({ spec }: Pick<ClusterFrontend, 'spec'>): Bind[] {
  const all = new Map(spec.bind.map(parseBind).flatMap((bind) => (bind ? [[printBind(bind), bind]] : [])));
  const everywhere = new Set([...all.values()].filter(isEverywhere).map(({ port }) => port));
  return [...all.values()].filter((bind) => isEverywhere(bind) || !everywhere.has(bind.port));
}

const isEverywhere = ({ address }: Bind): boolean => address === null;

export function printBind({ address, port }: Bind): string {
  if (address === null) return `:${port}`;
  return address.family === 6 ? `[${printAddress(address)}]:${port}` : `${printAddress(address)}:${port}`;
}

const overlaps = (a: Bind, b: Bind): boolean =>
  a.port === b.port &&
  (a.address === null ||
    b.address === null ||
    (a.address.family === b.address.family && a.address.value === b.address.value));

/** Whether it is to be served there, for all that it says itself. */
export const chooses = ({ spec }: ClusterFrontend, node: NixNode): boolean =>
  spec.clusterRef.name === node.spec.clusterRef?.name &&
  node.spec.roles.includes('frontend') &&
  selects(spec.nodeSelector, node.metadata.labels ?? {});

type Taken = { readonly bind: Bind; readonly by: string };

/** `frontends` are those of the node's namespace, in any order. */
export function placementOn(node: NixNode, frontends: readonly ClusterFrontend[]): Placement {
  // Who listens first after a boot has it: sshd must.
  const taken: Taken[] = [{ bind: { address: null, port: node.spec.ssh.port }, by: 'the SSH server' }];
  const served: ClusterFrontend[] = [];
  const refused: Refusal[] = [];
  for (const frontend of frontends.filter((one) => chooses(one, node)).sort(oldestFirst)) {
    const binds = bindsOf(frontend);
    const why = refusalOf(binds, taken, served.length, node.metadata.name);
    if (why) {
      refused.push({ frontend: frontend.metadata.name, node: node.metadata.name, ...why });
      continue;
    }
    served.push(frontend);
    const by = `ClusterFrontend ${frontend.metadata.name}`;
    taken.push(...binds.map((bind) => ({ bind, by })));
  }
  return { served, refused };
}

function refusalOf(
  binds: readonly Bind[],
  taken: readonly Taken[],
  count: number,
  node: string,
): Pick<Refusal, 'reason' | 'message'> | undefined {
  for (const bind of binds) {
    const other = taken.find((one) => overlaps(one.bind, bind));
    if (other) {
      const message = `${printBind(bind)} on ${node} is taken by ${printBind(other.bind)} of ${other.by}`;
      return { reason: 'BindTaken', message };
    }
  }
  if (count < maxFrontends) return undefined;
  return { reason: 'TooManyFrontends', message: `${node} serves ${maxFrontends} others already` };
}

const oldestFirst = (a: ClusterFrontend, b: ClusterFrontend): number =>
  compare(a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? '') ||
  compare(a.metadata.name, b.metadata.name);

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

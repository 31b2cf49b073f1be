/** A frontend as its nodes have it: what status says, and what the conditions make of it. Pure. */
import type { ClusterFrontend, ClusterFrontendStatus, FrontendNode, NixNode } from '../../crds/index.ts';
import { addressOrNull, printAddress } from '../lib/core/network.ts';
import { digestOf } from './file.ts';
import { bindsOf, chooses, placementOn, printBind, type Refusal } from './placement.ts';

export type View = {
  readonly frontend: ClusterFrontend;
  /** The nodes that are to serve it, by name. */
  readonly nodes: readonly NixNode[];
  readonly seen: readonly FrontendNode[];
  readonly refused: readonly Refusal[];
  /** Whether any node of the cluster was chosen, be it that it cannot serve it. */
  readonly isChosen: boolean;
  /** Addresses to listen on that none of the nodes has, as far as they were heard. */
  readonly nowhere: readonly string[];
};

/** `members` are the cluster's, `frontends` its frontends, this one among them. */
export function viewOf(
  frontend: ClusterFrontend,
  members: readonly NixNode[],
  frontends: readonly ClusterFrontend[],
): View {
  const { name } = frontend.metadata;
  const chosen = members.filter((node) => chooses(frontend, node)).sort(byName);
  const placed = chosen.map((node) => ({ node, ...placementOn(node, frontends) }));
  const nodes = placed.filter(({ served }) => served.some((one) => one.metadata.name === name));
  const digest = digestOf(frontend);
  return {
    frontend,
    nodes: nodes.map(({ node }) => node),
    seen: nodes.map(({ node }) => seenOn(node, name, digest)),
    refused: placed.flatMap(({ refused }) => refused.filter((one) => one.frontend === name)),
    isChosen: chosen.length > 0,
    nowhere: nowhereOf(
      frontend,
      nodes.map(({ node }) => node),
    ),
  };
}

const byName = (a: NixNode, b: NixNode): number => (a.metadata.name < b.metadata.name ? -1 : 1);

function seenOn({ metadata, status }: NixNode, name: string, digest: string): FrontendNode {
  const found = status?.frontends?.find((one) => one.name === name);
  const serves = found !== undefined && found.digest === digest;
  return { name: metadata.name, serves, servers: found?.servers ?? 0, up: found?.up ?? 0 };
}

function nowhereOf(frontend: ClusterFrontend, nodes: readonly NixNode[]): string[] {
  const heard = nodes.flatMap(({ status }) => (status?.facts?.addresses ? [status.facts.addresses] : []));
  // A host that was not heard may have any.
  if (heard.length < nodes.length) return [];
  const known = new Set(heard.flat().map(canonical));
  const wanted = bindsOf(frontend).flatMap(({ address }) => (address ? [printAddress(address)] : []));
  return [...new Set(wanted)].filter((address) => !known.has(address)).sort();
}

function canonical(written: string): string {
  const address = addressOrNull(written);
  return address ? printAddress(address) : written;
}

type Fields = { [F in 'bind' | 'nodes' | 'serving' | 'servers']: ClusterFrontendStatus[F] | undefined };

export function fieldsOf({ frontend, nodes, seen }: View): Fields {
  const serving = seen.filter(({ serves }) => serves);
  const [fewest] = [...serving].sort((a, b) => a.up - b.up || b.servers - a.servers);
  return {
    bind: bindsOf(frontend).map(printBind).join(', '),
    nodes: [...seen],
    serving: `${serving.length}/${nodes.length}`,
    servers: fewest && `${fewest.up}/${fewest.servers}`,
  };
}

/** The steps on which all others build: the plan is sound, and nodes have numbers. */
import { isDeepStrictEqual } from 'node:util';
import { ClusterPKI, WireguardMesh } from '../../crds/index.ts';
import { ReconcileError } from '../lib/core/outcome.ts';
import { several } from '../lib/core/several.ts';
import { assign } from './allocate.ts';
import { defaultPki } from './default-pki.ts';
import { byName, claimsOf, claimsOfPeers, memberOf, underlayOf } from './members.ts';
import { type Claim, checkOverlaps, highestIndex, servicesOf, takenIndexes } from './network.ts';
import { checkSettings } from './settings.ts';
import { reportNodes, type Visit } from './visit.ts';

/** As many as status.nodes holds. */
const maxNodes = 1000;

/** Whose addresses must not be those of pods or services. */
function claimsAround({ cluster, context, namespace, members }: Visit): Claim[] {
  const { meshRef } = cluster.spec.network;
  const mesh = meshRef && context.read.require(WireguardMesh, namespace, meshRef.name);
  const before = new Map((cluster.status?.nodes ?? []).map((node) => [node.name, node]));
  const underlays = members.map((node) => ({
    name: node.metadata.name,
    underlay: underlayOf(node, before.get(node.metadata.name)),
  }));
  return [...claimsOfPeers(mesh), ...claimsOf(underlays.sort(byName))];
}

export async function plan(visit: Visit): Promise<void> {
  const { cluster, known } = visit;
  checkSettings(cluster);
  visit.claims = claimsAround(visit);
  checkOverlaps(cluster.spec.network, visit.claims, known.nodes);
  await ensurePki(visit);
}

async function ensurePki({ cluster, context, namespace, objects }: Visit): Promise<void> {
  const { pkiRef } = cluster.spec;
  if (pkiRef) {
    context.read.require(ClusterPKI, namespace, pkiRef.name);
    return;
  }
  const { name } = cluster.metadata;
  if (context.read.get(ClusterPKI, namespace, name)) return;
  const made = await objects.create(ClusterPKI, defaultPki(cluster), context.signal);
  if (made === 'created') context.event('Normal', 'PkiCreated', `made ClusterPKI ${name} with its defaults`);
}

export async function allocate(visit: Visit): Promise<void> {
  const { cluster, context, members, known, claims } = visit;
  const { network } = cluster.spec;
  const taken = takenIndexes(network, [...servicesOf(network), ...claims]);
  const limits = { highest: highestIndex(network), taken, nodes: maxNodes };
  const of = members.map((node) => memberOf(node, cluster.metadata.name));
  const { nodes, retired, problems, unasked } = assign(known, of, limits);
  visit.known = { nodes, retired };
  reportNodes(visit);
  // Guarded by the version that this was read from: nobody hands out the same number meanwhile.
  if (!isDeepStrictEqual(nodes, known.nodes)) await context.publishNow();
  const [first] = problems;
  if (first) {
    const said = problems.map(({ message }) => message);
    throw new ReconcileError('terminal', first.reason, several(said, '; '));
  }
  if (unasked.length > 0) throw new ReconcileError('waiting', 'MembersUnobserved', unaskedSays(unasked));
}

const unaskedSays = (names: readonly string[]): string =>
  `hosts are asked whether they have a number already, before any is given; not heard yet: ${several(names)}. spec.index of a NixNode says its number without that`;

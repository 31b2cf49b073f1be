/**
 * A NixCluster in a real API server whose own API is another real one, which only its hosts reach: they are scripted SSH
 * servers. Nodes are made by hand, where there would be kubelets.
 */
import { authorityData } from '../../controllers/clusterpki/authority-secret.ts';
import { fingerprintOf } from '../../controllers/lib/pki/inspect.ts';
import { type ClusterPlay, clusterIn, nodeIn, startClusterPlay, truth } from './nixclusters.ts';
import { type IssuedLeaf, idleAuthority, issueAll, newMaterial } from './pki.ts';
import { subject } from './pki-subject.ts';
import type { Fields } from './play.ts';
import { type RealPki, startRealPki } from './real-pki.ts';
import { requireSearchable } from './secrets/manifests.ts';
import { type ScriptedFleet, startScriptedHosts } from './ssh-server/scripted-hosts.ts';
import type { Answer } from './tls-client.ts';

export type LiveCluster = AsyncDisposable & {
  play: ClusterPlay;
  real: RealPki;
  fleet: ScriptedFleet;
  namespace: string;
  /** In the cluster, as its administrator. */
  send(method: string, path: string, body?: object): Promise<Answer>;
  /** As a kubelet registers it and says how it is. */
  registers(
    name: string,
    ready: 'True' | 'False',
    more?: { metadata?: Fields; status?: Fields },
  ): Promise<void>;
  node(name: string): Promise<Fields & { metadata: Fields; spec: Fields }>;
  /** Whether the hosts' port 6443 leads to the API server. */
  serve(what: 'api' | 'nothing'): void;
};

/** `nodes`: their roles, one scripted host for each. */
export async function startLiveCluster(
  namespace: string,
  nodes: Record<string, string[]>,
): Promise<LiveCluster> {
  const material = await newMaterial('ECDSA-P256');
  const leaves = await issueAll(subject, material, 'ECDSA-P256');
  const real = await startRealPki(subject, material, leaves);
  const fleet = await startScriptedHosts({ count: Object.keys(nodes).length });
  const play = await startClusterPlay();
  const serve: LiveCluster['serve'] = (what) => {
    for (const host of fleet.hosts) host.ports.set(6443, what === 'api' ? real.port : 1);
  };
  const send = asAdministrator(real, leaves.get('admin')!);
  serve('nothing');
  await play.newNamespace(namespace);
  const { signer } = material.authorities.cluster;
  await play.apply([
    secretIn(namespace, 'deploy-key', { 'ssh-privatekey': fleet.privateKey }),
    secretIn(namespace, 'demo-cluster-ca', opened(authorityData(idleAuthority(signer)))),
    clusterIn(namespace, {}, { endpoint: { host: 'kube.example.com' } }),
    ...Object.entries(nodes).map(([name, roles], index) => {
      const { address, port, hostKey } = fleet.hosts[index]!;
      const ssh = { host: address, port, keyRef: { name: 'deploy-key' }, hostKeys: [hostKey] };
      return nodeIn(namespace, name, { roles, ssh });
    }),
  ]);
  for (const name of Object.keys(nodes))
    await play.hostSays(namespace, name, { conditions: [truth('Ready'), truth('Reachable')] });
  await pkiSays(play, namespace, signer.certificate);
  return {
    ...{ play, real, fleet, namespace, send, serve },
    async registers(name, ready, more = {}) {
      await ok(send('POST', '/api/v1/nodes', { ...nodeType, metadata: { name, ...more.metadata } }));
      const conditions = [{ type: 'Ready', status: ready, reason: 'KubeletReady', message: 'said so' }];
      const nodeInfo = { ...noInfo, kubeletVersion: 'v1.36.1' };
      const status = { conditions, nodeInfo, ...more.status };
      await ok(send('PATCH', `/api/v1/nodes/${name}/status`, { status }));
    },
    node: async (name) => (await send('GET', `/api/v1/nodes/${name}`)).body as never,
    async [Symbol.asyncDispose]() {
      await play.stop();
      await fleet.close();
      await real[Symbol.asyncDispose]();
    },
  };
}

const nodeType = { apiVersion: 'v1', kind: 'Node' };
/** What the API server requires of `nodeInfo`. */
const noInfo = Object.fromEntries(
  ['machineID', 'systemUUID', 'bootID', 'kernelVersion', 'osImage', 'containerRuntimeVersion'].map((key) => [
    key,
    '',
  ]),
);

const asAdministrator =
  (real: RealPki, as: IssuedLeaf): LiveCluster['send'] =>
  (method, path, body) => {
    const headers = method === 'PATCH' ? { 'content-type': 'application/merge-patch+json' } : {};
    return real.apiserver(path, { as, method, headers, ...(body && { body }) });
  };

async function ok(answer: Promise<Answer>): Promise<void> {
  const { status, body } = await answer;
  if (status >= 300) throw new Error(`${status} ${JSON.stringify(body)}`);
}

function secretIn(namespace: string, name: string, stringData: Record<string, string>): Fields {
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, stringData };
  requireSearchable(secret);
  return secret;
}

const opened = (data: ReturnType<typeof authorityData>): Record<string, string> =>
  Object.fromEntries(Object.entries(data).map(([key, value]) => [key, value.open()]));

/** As the clusterpki controller writes it. */
const pkiSays = (play: ClusterPlay, namespace: string, certificate: string): Promise<string> =>
  play.kubectl(
    ['apply', '--server-side', '--subresource=status', '--field-manager=firn-clusterpki', '-f', '-'],
    {
      apiVersion: 'firn.dev/v1alpha1',
      kind: 'ClusterPKI',
      metadata: { name: 'demo', namespace },
      status: {
        authorities: [
          {
            name: 'cluster',
            secretName: 'demo-cluster-ca',
            fingerprint: fingerprintOf(certificate),
            notAfter: '2036-11-21T10:00:00Z',
          },
        ],
      },
    },
  );

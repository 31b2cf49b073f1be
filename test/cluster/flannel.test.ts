/** The cluster of docs/examples/03 with Flannel in place of the mesh, on two hosts that reach each other by a network alone. */
import type { Asking } from '../support/hosts/asking.ts';
import {
  applyExample,
  exampleOf,
  fitted,
  type KubernetesCluster,
  kubectl,
  startKubernetesHosts,
  waitForNodes,
} from '../support/kubernetes-cluster.ts';
import { daemonSet, list, serve, service } from '../support/pods.ts';

type Fields = { [field: string]: unknown };
type Written = { kind: string; metadata: { name: string }; spec: Fields };

const names = ['node1', 'node2'];
let cluster: KubernetesCluster;
let control: Asking;

function objects(): object[] {
  const written = exampleOf('03-primary-and-workers.yaml').filter(
    ({ kind, metadata }) =>
      kind === 'NixCluster' || kind === 'ClusterPKI' || (kind === 'NixNode' && names.includes(metadata.name)),
  );
  return fitted(written, cluster).map((object) => adapted(object as Written));
}

function adapted(object: Written): Written {
  const { spec } = object;
  if (object.kind === 'NixCluster') {
    const { meshRef: _, ...network } = spec.network as Fields;
    return {
      ...object,
      spec: { ...spec, network: { ...network, cni: 'Flannel' }, controlPlane: { taint: false } },
    };
  }
  if (object.kind !== 'NixNode') return object;
  const { mesh: _, kubernetes: __, ...rest } = spec;
  const { address, address6 } = cluster.host(object.metadata.name);
  return { ...object, spec: { ...rest, addresses: [address, address6] } };
}

beforeAll(async () => {
  cluster = await startKubernetesHosts(names);
  control = cluster.on('node1');
  await applyExample(cluster, objects());
  await waitForNodes(cluster, 'node1', 2, 900_000);
}, 1_200_000);
afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]();
}, 240_000);

type Pod = { metadata: { name: string }; spec: { nodeName: string }; status: { podIPs: { ip: string }[] } };
const bracketed = (ip: string): string => (ip.includes(':') ? `[${ip}]` : ip);
/** More than fits into one packet, so that sizes of packets matter. */
const large = 'head -c 300000 /dev/zero >/tmp/www/large';
const pods = async (): Promise<Pod[]> =>
  JSON.parse(await control.run(`${kubectl} get pods -l app=web -o json`)).items;

test('pods of different hosts reach each other over both families, with more than a packet', async () => {
  const command = serve.replace('exec ', `${large}; exec `);
  await control.run(`${kubectl} apply -f -`, list(daemonSet('web', command), service('web')));
  // A node that has just joined may not count among those that are to have one yet.
  const ready = `[ "$(${kubectl} get daemonset web -o 'jsonpath={.status.numberReady}')" = ${names.length} ]`;
  await control.eventually('pods', ready, 120_000);
  const all = await pods();
  expect(all.map(({ spec }) => spec.nodeName).sort()).toEqual(names);
  for (const from of all)
    for (const to of all)
      for (const { ip } of to.status.podIPs) {
        const url = `http://${bracketed(ip)}:8080`;
        const ask = `${kubectl} exec ${from.metadata.name} -- wget -q -O - -T 3 ${url}`;
        expect(await control.eventually(`${ip} from ${from.spec.nodeName}`, ask, 60_000)).toBe(
          to.metadata.name,
        );
        expect(await control.run(`${ask}/large | wc -c`)).toBe('300000');
      }
  const families = all.flatMap(({ status }) => status.podIPs.map(({ ip }) => ip.includes(':')));
  expect(families.sort()).toEqual([false, false, true, true]);
}, 400_000);

test('hosts reach pods of the other, and both answer by the name of the Service', async () => {
  const all = await pods();
  for (const name of names)
    for (const { metadata, status } of all)
      for (const { ip } of status.podIPs) {
        const ask = `/usr/lib/firn-loader/busybox wget -q -O - -T 3 http://${bracketed(ip)}:8080`;
        expect(await cluster.on(name).run(ask)).toBe(metadata.name);
      }
  const [first] = all;
  const byName = `${kubectl} exec ${first!.metadata.name} -- wget -q -O - -T 3 http://web.default.svc.k8s.internal`;
  await control.eventually('an answer', byName, 60_000);
  const many = await control.run(`for i in $(seq 24); do ${byName}; echo; done`);
  expect([...new Set(many.split(/\s+/))].sort()).toEqual(all.map(({ metadata }) => metadata.name).sort());
});

test('it is VXLAN that carries them, and Nodes have the addresses of their hosts', async () => {
  const [, other] = await pods();
  const { host, address } = { host: cluster.on('node1'), address: cluster.host('node2').address };
  const away = other!.spec.nodeName === 'node2' ? other! : (await pods())[0]!;
  const four = away.status.podIPs.find(({ ip }) => !ip.includes(':'))!;
  expect(await host.run(`ip route get ${four.ip}`)).toContain('dev flannel.1');
  const addresses = await control.run(
    `${kubectl} get node node2 -o 'jsonpath={.status.addresses[?(@.type=="InternalIP")].address}'`,
  );
  expect(addresses.split(' ')).toContain(address);
  for (const name of names)
    expect(await cluster.on(name).run('systemctl show --value -p NRestarts flannel')).toBe('0');
});

/** What a NixCluster refuses among flags and fields is what the modules refuse, and the other way round. */
import { ownedFlags, ownedKubeletFields } from '../../crds/kubernetes-owned.ts';
import { lookAt } from '../support/kubernetes-host.ts';

type Refused = Record<string, string[]>;
const refused = async (more: string): Promise<Refused> =>
  (await lookAt({ more }, 'config.firn.kubernetes.refused')) as Refused;

test.each(['Socket', 'TLS'])('with a datastore over %s', async (transport) => {
  const found = await refused(`firn.kubernetes.etcd.transport = "${transport}";`);
  for (const [component, flags] of Object.entries(ownedFlags))
    expect([...found[`${component}.extraArgs`]!].sort()).toEqual([...flags]);
  expect([...found['kubelet.settings']!].sort()).toEqual([...ownedKubeletFields]);
});

test('with SQLite', async () => {
  const found = (await lookAt(
    { datastore: 'SQLite' },
    'config.firn.kubernetes.refused."apiServer.extraArgs"',
  )) as string[];
  expect(found.sort()).toEqual([...ownedFlags.apiServer]);
});

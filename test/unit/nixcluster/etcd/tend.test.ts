import { type EtcdVisit, tendEtcd } from '../../../../controllers/nixcluster/etcd/tend.ts';
import type { ClusterEtcd } from '../../../../crds/index.ts';
import { clusterOf, nodeOf } from '../../../support/cluster-objects.ts';

test('what was found is told, although it is not as it should be', async () => {
  const reported: unknown[] = [];
  const found: ClusterEtcd[] = [];
  const visit = {
    cluster: clusterOf(),
    members: [nodeOf('node1', { spec: { roles: ['control-plane'] } })],
    nodes: [],
    context: { report: (fields: unknown) => void reported.push(fields) } as unknown as EtcdVisit['context'],
    targets: {} as EtcdVisit['targets'],
    found: (etcd: ClusterEtcd) => void found.push(etcd),
  };
  await expect(tendEtcd(visit)).rejects.toMatchObject({ reason: 'EtcdUnobserved' });
  expect(found).toEqual([{ state: 'Absent', transport: 'Socket' }]);
  expect(reported).toEqual([{ etcd: found[0] }]);
});

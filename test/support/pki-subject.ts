import type { Subject } from '../../controllers/clusterpki/leaves.ts';

/** A control-plane node of a dual-stack cluster. */
export const subject: Subject = {
  node: 'node1',
  roles: ['control-plane'],
  addresses: ['fd88:1::1', '10.88.1.1'],
  underlayAddresses: ['192.0.2.31'],
  cluster: {
    name: 'demo',
    domain: 'k8s.internal',
    endpointHost: 'kube.example.com',
    services: ['10.88.0.0/24'],
  },
};

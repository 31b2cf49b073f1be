import { healthOf } from '../../../controllers/clusteraddon/health.ts';

type Fields = { [field: string]: unknown };
const judge = (id: string, object: Fields): string => {
  const [kind = '', ...group] = id.split('.');
  const { state, message } = healthOf({ group: group.join('.'), kind, object: { metadata: {}, ...object } });
  return message === '' ? state : `${state}: ${message}`;
};
const saying = (type: string, status: string, more: Fields = {}) => ({
  conditions: [{ type, status, ...more }],
});

const replicas = (spec: number, status: Fields): Fields => ({
  spec: { replicas: spec },
  status: { observedGeneration: 1, ...status },
});

test.each<[id: string, object: Fields, said: string]>([
  ['ConfigMap', {}, 'Current'],
  [
    'ConfigMap',
    { metadata: { deletionTimestamp: 'x', finalizers: ['a', 'b'] } },
    'Terminating: it is being deleted, and waits for a, b',
  ],
  [
    'Widget.example.com',
    { metadata: { generation: 2 }, status: { observedGeneration: 1 } },
    'InProgress: its controller has not looked at it yet',
  ],
  ['Widget.example.com', { status: saying('Ready', 'False', { message: 'no' }) }, 'InProgress: no'],
  ['Widget.example.com', { status: saying('Ready', 'Unknown') }, 'InProgress: it is not ready'],
  ['Widget.example.com', { status: saying('Ready', 'True') }, 'Current'],
  ['Widget.example.com', { status: saying('Stalled', 'True', { message: 'stuck' }) }, 'Failed: stuck'],
  ['Widget.example.com', { status: saying('Reconciling', 'True', { message: 'busy' }) }, 'InProgress: busy'],
  ['Widget.example.com', { status: 'anything', metadata: null }, 'Current'],
  [
    'Widget.example.com',
    { status: { conditions: [null, 7, { type: 'Ready' }] } },
    'InProgress: it is not ready',
  ],
  ['Deployment.apps', { spec: {} }, 'InProgress: 0 of 1 pods are updated'],
  ['Deployment.apps', { spec: { replicas: 0 } }, 'InProgress: its controller has not looked at it yet'],
  ['Deployment.apps', replicas(0, {}), 'Current'],
  ['Deployment.apps', replicas(2, { updatedReplicas: 1 }), 'InProgress: 1 of 2 pods are updated'],
  [
    'Deployment.apps',
    replicas(2, { updatedReplicas: 2, replicas: 3 }),
    'InProgress: 1 pods of before are still there',
  ],
  [
    'Deployment.apps',
    replicas(2, { updatedReplicas: 2, replicas: 2, availableReplicas: 1 }),
    'InProgress: 1 of 2 pods are available',
  ],
  ['Deployment.apps', replicas(2, { updatedReplicas: 2, replicas: 2, availableReplicas: 2 }), 'Current'],
  [
    'Deployment.apps',
    replicas(1, saying('Progressing', 'False', { reason: 'ProgressDeadlineExceeded', message: 'late' })),
    'Failed: late',
  ],
  ['Deployment.apps', replicas(1, saying('ReplicaFailure', 'True', { message: 'quota' })), 'Failed: quota'],
  ['StatefulSet.apps', replicas(2, { replicas: 2, readyReplicas: 1 }), 'InProgress: 1 of 2 pods are ready'],
  [
    'StatefulSet.apps',
    replicas(2, { replicas: 2, readyReplicas: 2, updatedReplicas: 1 }),
    'InProgress: 1 of 2 pods are updated',
  ],
  ['StatefulSet.apps', replicas(2, { replicas: 2, readyReplicas: 2, updatedReplicas: 2 }), 'Current'],
  [
    'StatefulSet.apps',
    {
      spec: { replicas: 2, updateStrategy: { rollingUpdate: { partition: 2 } } },
      status: { observedGeneration: 1, replicas: 2, readyReplicas: 2 },
    },
    'Current',
  ],
  ['DaemonSet.apps', { status: {} }, 'InProgress: its controller has not looked at it yet'],
  [
    'DaemonSet.apps',
    {
      status: {
        observedGeneration: 1,
        desiredNumberScheduled: 3,
        updatedNumberScheduled: 3,
        numberAvailable: 2,
      },
    },
    'InProgress: 2 of 3 pods are available',
  ],
  [
    'DaemonSet.apps',
    {
      status: {
        observedGeneration: 1,
        desiredNumberScheduled: 3,
        updatedNumberScheduled: 3,
        numberAvailable: 3,
      },
    },
    'Current',
  ],
  ['Job.batch', { status: { active: 1 } }, 'InProgress: it is not complete: 1 pods run'],
  ['Job.batch', { status: saying('Complete', 'True') }, 'Current'],
  ['Job.batch', { status: saying('Failed', 'True', { message: 'thrice' }) }, 'Failed: thrice'],
  ['Job.batch', { spec: { suspend: true } }, 'Current'],
  ['Pod', { status: { phase: 'Pending' } }, 'InProgress: its phase is Pending'],
  ['Pod', { status: { phase: 'Running', ...saying('Ready', 'True') } }, 'Current'],
  ['Pod', { status: { phase: 'Failed' } }, 'Failed: it failed'],
  ['Namespace', { status: { phase: 'Active' } }, 'Current'],
  ['Namespace', {}, 'InProgress: it has no phase yet'],
  ['Namespace', { status: { phase: 'constructor' } }, 'InProgress: its phase is constructor'],
  ['PersistentVolumeClaim', { status: { phase: 'Pending' } }, 'InProgress: its phase is Pending'],
  ['PersistentVolumeClaim', { status: { phase: 'Bound' } }, 'Current'],
  ['PersistentVolumeClaim', { status: { phase: 'Lost' } }, 'Failed: its volume is lost'],
  ['CustomResourceDefinition.apiextensions.k8s.io', {}, 'InProgress: it is not established yet'],
  [
    'CustomResourceDefinition.apiextensions.k8s.io',
    { status: saying('NamesAccepted', 'False', { message: 'taken' }) },
    'Failed: its names are not accepted: taken',
  ],
  ['CustomResourceDefinition.apiextensions.k8s.io', { status: saying('Established', 'True') }, 'Current'],
  [
    'APIService.apiregistration.k8s.io',
    { status: saying('Available', 'False', { message: 'no endpoints' }) },
    'InProgress: it is not available: no endpoints',
  ],
])('%s %j: %s', (id, object, said) => {
  expect(judge(id, object)).toBe(said);
});

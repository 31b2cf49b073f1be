import { digestOf } from '../../../controllers/clusterfrontend/file.ts';
import { type Backend, verdictOf } from '../../../controllers/clusterfrontend/verdict.ts';
import { fieldsOf, type View, viewOf } from '../../../controllers/clusterfrontend/view.ts';
import { recheckFrontends } from '../../../controllers/nixnode/health.ts';
import { frontendsOf } from '../../../controllers/nixnode/member-status.ts';
import type { NixNodeStatus } from '../../../crds/index.ts';
import { edgeOf, frontendOf } from '../../support/frontends.ts';
import { observation } from '../../support/observation.ts';

const web = frontendOf('web', { bind: ['198.51.100.2:443'] });
const facts = (...addresses: string[]) => ({ facts: { addresses } }) as unknown as NixNodeStatus;
const serving = (servers: number, up: number, of = web): NixNodeStatus => ({
  ...facts('198.51.100.2'),
  frontends: [{ name: 'web', digest: digestOf(of), servers, up }],
});
const viewWith = (...statuses: NixNodeStatus[]): View =>
  viewOf(
    web,
    statuses.map((status, at) => edgeOf(`edge-${at + 1}`, { status })),
    [web],
  );
const reasonOf = (check: () => void): string | undefined => {
  try {
    check();
    return undefined;
  } catch (error) {
    return (error as { reason: string }).reason;
  }
};
const verdicts = (view: View) => [
  reasonOf(() => verdictOf.placed(view)),
  reasonOf(() => verdictOf.deployed(view)),
  reasonOf(() => verdictOf.serving(view)),
];

test('served, with pods that answer', () => {
  const view = viewWith(serving(5, 5), serving(5, 4));
  expect(verdicts(view)).toEqual([undefined, undefined, undefined]);
  expect(fieldsOf(view)).toEqual({
    bind: '198.51.100.2:443',
    nodes: [
      { name: 'edge-1', serves: true, servers: 5, up: 5 },
      { name: 'edge-2', serves: true, servers: 5, up: 4 },
    ],
    serving: '2/2',
    servers: '4/5',
  });
});

test('nobody to serve it', () => {
  const view = viewOf(web, [edgeOf('a', { spec: { roles: ['worker'] } })], [web]);
  expect(verdicts(view)[0]).toBe('NoFrontendNodes');
  expect(fieldsOf(view)).toMatchObject({ nodes: [], serving: '0/0', servers: undefined });
});

test('a node that has it as it was does not serve it', () => {
  const before = frontendOf('web', { bind: ['198.51.100.2:80'] });
  const view = viewWith(serving(5, 5), serving(5, 5, before));
  expect(verdicts(view)[1]).toBe('NotDeployed');
  expect(fieldsOf(view)).toMatchObject({ serving: '1/2', servers: '5/5' });
});

test('pods that are not there, and pods that do not answer', () => {
  expect(verdicts(viewWith(serving(5, 5), serving(0, 0)))[2]).toBe('NoBackends');
  expect(verdicts(viewWith(serving(5, 5), serving(5, 0)))[2]).toBe('BackendDown');
});

test('an address that no node has, once all were heard', () => {
  expect(verdicts(viewWith(facts('192.0.2.1'), facts('198.51.100.2')))[0]).toBeUndefined();
  expect(verdicts(viewWith(facts('192.0.2.1'), facts('192.0.2.2')))[0]).toBe('AddressMissing');
  expect(verdicts(viewWith(facts('192.0.2.1'), {}))[0]).toBeUndefined();
});

test('a port that an older one has on one node is served on the other', () => {
  const older = frontendOf('older', { bind: [':443'], nodeSelector: { matchLabels: { a: 'b' } } }, 9);
  const nodes = [
    edgeOf('edge-1', { labels: { a: 'b' }, status: facts('198.51.100.2') }),
    edgeOf('edge-2', { status: serving(1, 1) }),
  ];
  const view = viewOf(web, nodes, [web, older]);
  expect(verdicts(view)).toEqual(['BindTaken', undefined, undefined]);
  expect(fieldsOf(view)).toMatchObject({ serving: '1/1' });
});

test.each<[Backend, string | undefined]>([
  [null, undefined],
  ['Absent', 'BackendNotFound'],
  [{ isHeadless: false, ports: ['https'] }, 'BackendNotHeadless'],
  [{ isHeadless: true, ports: ['http'] }, 'BackendPortNotFound'],
  [{ isHeadless: true, ports: ['http', 'https'] }, undefined],
])('of the Service %j', (found, reason) => {
  expect(reasonOf(() => verdictOf.backend(web, found))).toBe(reason);
});

describe('what a host says', () => {
  const manifestB64 = JSON.stringify({ frontends: { web: 'a'.repeat(64) } });
  test('is told with what was deployed', () => {
    const frontends = [
      { name: 'web', servers: 5, up: 4 },
      { name: 'constructor', servers: 1, up: 1 },
    ];
    expect(frontendsOf(observation({ manifestB64, frontends }))).toEqual([
      { name: 'constructor', servers: 1, up: 1 },
      { name: 'web', digest: 'a'.repeat(64), servers: 5, up: 4 },
    ]);
    expect(frontendsOf(observation({ manifestB64, frontends: null }))).toBeUndefined();
  });

  test('is asked for more often while pods do not answer', () => {
    expect(recheckFrontends(null)).toBe(300_000);
    expect(recheckFrontends([{ name: 'web', servers: 2, up: 2 }])).toBe(60_000);
    expect(recheckFrontends([{ name: 'web', servers: 2, up: 1 }])).toBe(10_000);
    expect(recheckFrontends([{ name: 'web', servers: 0, up: 0 }])).toBe(10_000);
  });
});

import { digestOf, frontendsFile } from '../../../controllers/clusterfrontend/file.ts';
import { bindsOf, placementOn, printBind } from '../../../controllers/clusterfrontend/placement.ts';
import type { ClusterFrontend } from '../../../crds/index.ts';
import { edgeOf, frontendOf } from '../../support/frontends.ts';

const names = (frontends: readonly ClusterFrontend[]) => frontends.map(({ metadata }) => metadata.name);
const served = (...frontends: ClusterFrontend[]) => names(placementOn(edgeOf('edge-1'), frontends).served);

describe('who serves', () => {
  const web = frontendOf('web', { nodeSelector: { matchLabels: { tier: 'edge' } } });
  test.each([
    ['a node with role and labels', edgeOf('a', { labels: { tier: 'edge' } }), ['web']],
    ['one with other labels', edgeOf('a', { labels: { tier: 'x' } }), []],
    ['a worker', edgeOf('a', { labels: { tier: 'edge' }, spec: { roles: ['worker'] } }), []],
    [
      'a worker that is a frontend, too',
      edgeOf('a', { labels: { tier: 'edge' }, spec: { roles: ['worker', 'frontend'] } }),
      ['web'],
    ],
    [
      'a node of another cluster',
      edgeOf('a', { labels: { tier: 'edge' }, spec: { clusterRef: { name: 'x' } } }),
      [],
    ],
  ])('%s', (_, node, expected) => expect(names(placementOn(node, [web]).served)).toEqual(expected));
});

describe('a port at an address has one frontend, the older', () => {
  const older = (bind: string[]) => frontendOf('older', { bind }, 10);
  const newer = (bind: string[]) => frontendOf('a-newer', { bind });
  test.each([
    ['every address, twice', [':443'], [':443'], ['older']],
    ['every address and one', [':443'], ['192.0.2.1:443'], ['older']],
    ['one and every address', ['[2001:db8::1]:443'], [':443'], ['older']],
    ['one address, written differently', ['[2001:db8::1]:443'], ['[2001:DB8:0::1]:443'], ['older']],
    ['one of several', ['192.0.2.1:80', '192.0.2.1:443'], ['192.0.2.2:80', '192.0.2.1:443'], ['older']],
    ['other addresses', ['192.0.2.1:443'], ['192.0.2.2:443'], ['older', 'a-newer']],
    ['other ports', [':443'], [':80'], ['older', 'a-newer']],
  ])('%s', (_, first, second, expected) => {
    expect(served(newer(second), older(first))).toEqual(expected);
    expect(served(older(first), newer(second))).toEqual(expected);
  });

  test('of two of one second, the first by name', () => {
    expect(served(frontendOf('b'), frontendOf('a'))).toEqual(['a']);
  });

  test('who is refused takes nothing from others', () => {
    const middle = frontendOf('middle', { bind: [':443', ':80'] }, 5);
    expect(served(older([':443']), middle, newer([':80']))).toEqual(['older', 'a-newer']);
  });

  test('the words say which, and who has it', () => {
    const node = edgeOf('edge-1');
    const { refused } = placementOn(node, [older([':443']), newer(['[2001:db8::1]:443'])]);
    expect(refused).toEqual([
      {
        frontend: 'a-newer',
        node: 'edge-1',
        reason: 'BindTaken',
        message: '[2001:db8::1]:443 on edge-1 is taken by :443 of ClusterFrontend older',
      },
    ]);
  });

  test('the port of the SSH server is nobody’s', () => {
    const node = edgeOf('edge-1', {
      spec: {
        ssh: { host: 'x.example.com', port: 2222, keyRef: { name: 'k' }, hostKeyPolicy: 'TrustOnFirstUse' },
      },
    });
    const { served: all, refused } = placementOn(node, [frontendOf('web', { bind: [':2222', ':443'] })]);
    expect(all).toEqual([]);
    expect(refused[0]!.message).toBe(':2222 on edge-1 is taken by :2222 of the SSH server');
  });

  test('more than a host takes', () => {
    const many = Array.from({ length: 257 }, (_, at) =>
      frontendOf(`f${at}`, { bind: [`:${1000 + at}`] }, 300 - at),
    );
    const { served: all, refused } = placementOn(edgeOf('edge-1'), many);
    expect(all).toHaveLength(256);
    expect(refused).toMatchObject([{ frontend: 'f256', reason: 'TooManyFrontends' }]);
  });
});

test('every address has those that are named, and each is there once', () => {
  const bind = ['[2001:DB8::1]:443', '[2001:db8::1]:443', '192.0.2.1:80', ':80', '192.0.2.1:81'];
  expect(bindsOf(frontendOf('web', { bind })).map(printBind)).toEqual([
    '[2001:db8::1]:443',
    ':80',
    '192.0.2.1:81',
  ]);
});

describe('the file', () => {
  const web = frontendOf('web', {
    bind: ['198.51.100.2:443', '[2001:db8:2::1000]:443'],
    backend: { service: { namespace: 'shop', name: 'ingress', port: 'https' }, proxyProtocol: true },
  });
  const site = frontendOf('site', { bind: [':80'], mode: 'HTTP', balance: 'source' });

  test('has lines for each, whatever order they come in', () => {
    const text = frontendsFile([web, site]);
    expect(text.split('\n')).toEqual([
      'frontend site HTTP source 20 PLAIN default ingress https',
      'bind site * 80',
      'frontend web TCP leastconn 20 PROXY shop ingress https',
      'bind web 198.51.100.2 443',
      'bind web 2001:db8:2::1000 443',
      '',
    ]);
    expect(frontendsFile([site, web])).toBe(text);
  });

  test('a digest tells a frontend from what it was', () => {
    expect(digestOf(site)).toBe(
      digestOf(frontendOf('site', { bind: [':80'], mode: 'HTTP', balance: 'source' }, 7)),
    );
    expect(digestOf(site)).not.toBe(digestOf(frontendOf('site', { bind: [':80'], mode: 'HTTP' })));
  });
});

import type { Way } from '../../../controllers/lib/target/access.ts';
import { WayMemory } from '../../../controllers/lib/target/ways.ts';

const ways: Way[] = ['a', 'b', 'c'].map((host) => ({ kind: 'Direct', host, port: 6443 }));
const [a, b, c] = ways as [Way, Way, Way];
const hosts = (memory: WayMemory): string =>
  memory
    .order(ways)
    .map((way) => (way.kind === 'Direct' ? way.host : ''))
    .join('');

test('ways are tried as given', () => {
  expect(hosts(new WayMemory())).toBe('abc');
});

test('the one that worked last comes first, and those that failed last', () => {
  const memory = new WayMemory();
  memory.failed(a);
  memory.worked(c);
  expect(hosts(memory)).toBe('cba');
  memory.failed(b);
  expect(hosts(memory)).toBe('cab');
});

test('one that is in doubt is tried after all others, until it works again', () => {
  const memory = new WayMemory();
  memory.worked(a);
  memory.doubt();
  expect(hosts(memory)).toBe('bca');
  memory.doubt();
  expect(hosts(memory)).toBe('bca');
  memory.worked(a);
  expect(hosts(memory)).toBe('abc');
});

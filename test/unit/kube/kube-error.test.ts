import { answeredError } from '../../../controllers/lib/kube/kube-error.ts';

const failed = (body: unknown) => answeredError('GET /x', 422, JSON.stringify(body));

test('an error has the reason and the fields that the server names', () => {
  const causes = [{ field: 'spec.a', message: 'no' }, { field: 'spec.b' }, { field: 'spec.a' }, {}];
  const error = failed({ reason: 'Invalid', details: { causes, retryAfterSeconds: 2 } });
  expect(error.message).toBe('GET /x: 422 Invalid (spec.a, spec.b)');
  expect(error.retryAfterMs).toBe(2000);
});

test.each<[string, unknown]>([
  ['nothing', null],
  ['a list', []],
  ['no words', { reason: { a: 1 }, details: { causes: [{ field: 7 }] } }],
  ['no causes', { reason: 7, details: { causes: { field: 'spec' }, retryAfterSeconds: '2' } }],
  ['no details', { details: 'none' }],
])('what is no Status says nothing: %s', (_, body) => {
  const error = failed(body);
  expect(error.message).toBe('GET /x: 422 Invalid');
  expect(error.retryAfterMs).toBeUndefined();
});

test('however much it says, the message fits into a status', () => {
  const causes = Array.from({ length: 1000 }, (_, n) => ({ field: `${n}${'a'.repeat(100_000)}` }));
  expect(failed({ reason: 'R'.repeat(100_000), details: { causes } }).message.length).toBeLessThan(4096);
});

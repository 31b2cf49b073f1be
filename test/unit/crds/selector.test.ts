import { labelSelector, selects } from '../../../crds/common.ts';

const labels = { site: 'berlin', tier: 'web' };

test.each<[string, unknown, boolean]>([
  ['nothing asked', {}, true],
  ['an equal label', { matchLabels: { site: 'berlin' } }, true],
  ['another value', { matchLabels: { site: 'paris' } }, false],
  ['a label that is not there', { matchLabels: { rack: 'r1' } }, false],
  [
    'a label of every object in JavaScript',
    { matchExpressions: [{ key: 'constructor', operator: 'Exists' }] },
    false,
  ],
  ['In', { matchExpressions: [{ key: 'site', operator: 'In', values: ['paris', 'berlin'] }] }, true],
  ['In, not there', { matchExpressions: [{ key: 'rack', operator: 'In', values: ['r1'] }] }, false],
  ['NotIn', { matchExpressions: [{ key: 'site', operator: 'NotIn', values: ['berlin'] }] }, false],
  ['NotIn, not there', { matchExpressions: [{ key: 'rack', operator: 'NotIn', values: ['r1'] }] }, true],
  ['Exists', { matchExpressions: [{ key: 'tier', operator: 'Exists' }] }, true],
  ['DoesNotExist', { matchExpressions: [{ key: 'tier', operator: 'DoesNotExist' }] }, false],
  [
    'both, one fails',
    { matchLabels: { site: 'berlin' }, matchExpressions: [{ key: 'tier', operator: 'In', values: ['db'] }] },
    false,
  ],
])('a selector: %s', (_, selector, expected) => {
  expect(selects(labelSelector().parse(selector), labels)).toBe(expected);
});

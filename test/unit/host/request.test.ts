import { encodeRequest } from '../../../controllers/lib/host/request.ts';

const claim = { installation: 'ab', fence: 7, owner: 'fleet/alpha', uid: 'u', adopt: 0 };

test('one line a field, in the order of the protocol', () => {
  expect(encodeRequest('claim', claim)).toEqual([
    'installation ab',
    'fence 7',
    `owner ${Buffer.from('fleet/alpha').toString('base64')}`,
    'uid dQ==',
    'adopt 0',
  ]);
  expect(encodeRequest('observe', {})).toEqual([]);
});

test.each([
  [{ installation: 'AB' }, 'installation'],
  [{ installation: '' }, 'installation'],
  [{ installation: 'ab\n' }, 'installation'],
  [{ fence: -1 }, 'fence'],
  [{ fence: 1.5 }, 'fence'],
  [{ fence: 2 ** 53 }, 'fence'],
  [{ fence: Number.NaN }, 'fence'],
  [{ owner: '\udfff' }, 'owner'],
  [{ owner: undefined as unknown as string }, 'owner'],
])('refuses %j and names the field', (changes, field) => {
  expect(() => encodeRequest('claim', { ...claim, ...changes })).toThrow(
    expect.objectContaining({
      code: 'Refused',
      refusal: 'InvalidRequest',
      message: expect.stringContaining(field),
    }),
  );
});

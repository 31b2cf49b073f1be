import { Dialogue, type Step } from '../../../controllers/lib/host/dialogue.ts';

const nonce = 'c0ffee';
const feed = (text: string, maxBytes = 1_000_000): Step[] =>
  new Dialogue(nonce, maxBytes).feed(Buffer.from(text));

test('the common case: program there, one reply', () => {
  expect(feed(`\nFIRN-${nonce} run\n{"ok":true}\n\nFIRN-${nonce} end 0\n`)).toEqual([
    { outcome: { kind: 'reply', output: '{"ok":true}\n', exitStatus: 0 } },
  ]);
});

test('first contact as a user with sudo, with a payload', () => {
  const words = `\nFIRN-${nonce} root\n\nFIRN-${nonce} need\n\nFIRN-${nonce} run\nFIRN-SEND\n{"ok":true}\n\nFIRN-${nonce} end 0\n`;
  expect(feed(words).map((step) => ('wanted' in step ? step.wanted : step.outcome.kind))).toEqual([
    'script',
    'program',
    'payload',
    'reply',
  ]);
});

test('a failure carries its lines', () => {
  expect(feed(`\nFIRN-${nonce} fail sudo\nsudo: a password\nis required\n\nFIRN-${nonce} end 1\n`)).toEqual([
    { outcome: { kind: 'fail', code: 'sudo', message: 'sudo: a password\nis required' } },
  ]);
});

test.each([
  ['before the program runs nobody may ask for the payload', 'FIRN-SEND\n', []],
  ['a payload is asked for once', `\nFIRN-${nonce} run\nFIRN-SEND\nFIRN-SEND\n`, [{ wanted: 'payload' }]],
  ['the script is asked for once', `\nFIRN-${nonce} root\n\nFIRN-${nonce} root\n`, [{ wanted: 'script' }]],
  [
    'nothing of ours is asked for by a program that runs',
    `\nFIRN-${nonce} run\n\nFIRN-${nonce} root\n\nFIRN-${nonce} need\n`,
    [],
  ],
  ['frames of another call are none', '\nFIRN-decaf root\n\nFIRN-decaf end 0\n', []],
  ['a frame in the middle of a line is none', `x FIRN-${nonce} end 0\n`, []],
])('%s', (_name, words, steps) => {
  expect(feed(words)).toEqual(steps);
});

test('more than may be is an end', () => {
  expect(feed('x'.repeat(101), 100)).toEqual([{ outcome: { kind: 'flooded' } }]);
});

test('says how far it is, and what was said before', () => {
  const dialogue = new Dialogue(nonce, 1_000);
  dialogue.feed(Buffer.from('This account is\ncurrently not available.'));
  expect(dialogue).toMatchObject({ stage: 'shell', chatter: 'This account is\ncurrently not available.' });
  dialogue.feed(Buffer.from(`\nFIRN-${nonce} root\n\nFIRN-${nonce} run\n`));
  expect(dialogue.stage).toBe('running');
});

/** That the witness of scripted hosts sees what it is there to see. */
import { createWitness, type Witness } from '../../support/ssh-server/witness.ts';

const installation = 'a';

test.each<[string, (witness: Witness) => void, string[]]>([
  [
    'two activations at once',
    (witness) => {
      witness.began('one');
      witness.began('two');
    },
    ['two began during one'],
  ],
  [
    'one after the other',
    (witness) => {
      witness.began('one');
      witness.ended('one');
      witness.began('two');
      witness.wentDown();
      witness.began('three');
    },
    [],
  ],
  [
    'an operator that was replaced',
    (witness) => {
      for (const fence of [1, 2, 2, 1]) witness.admitted({ installation, fence });
    },
    ['an operator with 1 was let in after one with 2'],
  ],
  [
    'a host that changed hands',
    (witness) => {
      witness.admitted({ installation, fence: 5 });
      witness.admitted({ installation: 'b', fence: 1 });
      witness.disowned();
      witness.admitted({ installation: 'b', fence: 1 });
    },
    [],
  ],
  [
    'a confirmation that nobody waited for',
    (witness) => {
      witness.awaiting('one');
      witness.confirmed('one');
      witness.confirmed('one');
    },
    ['one was confirmed, and did not wait for it'],
  ],
])('%s', (_, happens, violations) => {
  const witness = createWitness();
  happens(witness);
  expect(witness.violations).toEqual(violations);
});

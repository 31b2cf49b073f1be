import type { Condition } from '../../controllers/lib/runtime/status.ts';

type Judged = {
  metadata: { name: string; generation?: number };
  status?: { conditions?: Condition[]; observedGeneration?: number; summary?: string };
};

/**
 * What must be true of every object's status, of whatever kind and whatever happened (kstatus and the API
 * conventions as rules). Returns sentences, so that a failing test says all that is wrong at once.
 */
export function dishonesties(object: unknown, options: { canary?: string } = {}): string[] {
  const { metadata, status } = object as Judged;
  const generation = metadata.generation ?? 0;
  const conditions = status?.conditions ?? [];
  const truthOf = (type: string) => conditions.find((condition) => condition.type === type)?.status;
  const types = conditions.map((condition) => condition.type);
  const found: string[] = [];
  const check = (holds: boolean, sentence: string) => {
    if (!holds) found.push(`${metadata.name}: ${sentence}`);
  };
  for (const type of ['Ready', 'Reconciling', 'Stalled']) check(types.includes(type), `no condition ${type}`);
  check(new Set(types).size === types.length, 'a condition is there twice');
  check(status?.observedGeneration === generation, `observedGeneration is not ${generation}`);
  check((status?.summary ?? '') !== '', 'no summary');
  check(!(truthOf('Ready') === 'True' && truthOf('Stalled') === 'True'), 'Ready and Stalled');
  check(!(truthOf('Ready') === 'True' && truthOf('Reconciling') === 'True'), 'Ready and Reconciling');
  check(!(truthOf('Stalled') === 'True' && truthOf('Reconciling') === 'True'), 'Stalled and Reconciling');
  check(
    truthOf('Ready') === 'True' || truthOf('Reconciling') === 'True' || truthOf('Stalled') === 'True',
    'neither Ready nor Reconciling nor Stalled',
  );
  for (const condition of conditions) found.push(...wrongIn(condition, metadata.name, generation));
  if (options.canary) check(!JSON.stringify(status).includes(options.canary), 'a secret in the status');
  return found;
}

function wrongIn(condition: Condition, name: string, generation: number): string[] {
  const { type, reason, message, observedGeneration, lastTransitionTime, status } = condition;
  const rules: [boolean, string][] = [
    [/^[A-Z][A-Za-z0-9]*$/.test(reason), `reason "${reason}" is not CamelCase`],
    [!Number.isNaN(Date.parse(lastTransitionTime)), 'lastTransitionTime is no time'],
    [observedGeneration <= generation && observedGeneration >= 0, 'observedGeneration is of the future'],
    [
      !['Ready', 'Reconciling', 'Stalled'].includes(type) || observedGeneration === generation,
      'is of an old generation',
    ],
    [type !== 'Ready' || status === 'True' || reason !== '', 'not Ready without a reason'],
    [!/\n\s+at /.test(message), 'a stack trace in the message'],
  ];
  return rules.filter(([holds]) => !holds).map(([, sentence]) => `${name}: ${type}: ${sentence}`);
}

/** Ends every api test: `expectHonestStatus(JSON.parse(kubectlGetJson))`. */
export function expectHonestStatus(object: unknown, options: { canary?: string } = {}): void {
  expect(dishonesties(object, options)).toEqual([]);
}

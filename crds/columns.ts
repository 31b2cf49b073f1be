import type { Column } from './kind.ts';

/** `ready` says of the kind when its condition Ready is True. */
export const summaryColumns = (ready: string): Column[] => [
  {
    name: 'Ready',
    type: 'string',
    jsonPath: '.status.conditions[?(@.type=="Ready")].status',
    description: ready,
  },
  {
    name: 'Status',
    type: 'string',
    jsonPath: '.status.summary',
    description: 'In a word or two, how it is.',
  },
];

export const ageColumn: Column = {
  name: 'Age',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
  description: 'How old the object is.',
};

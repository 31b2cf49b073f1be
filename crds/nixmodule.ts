/** NixModule: configuration that many hosts share. */

import { z } from 'zod';
import { ageColumn } from './columns.ts';
import { integer, labelSelector } from './common.ts';
import { deliveredFiles, inlineModule, moduleFromConfigMap, oneModule } from './content.ts';
import { defineKind, type ObjectOf } from './kind.ts';
import { withRules } from './rules.ts';

const spec = withRules(
  z.object({
    nodeSelector: labelSelector()
      .prefault({})
      .describe('Which NixNodes of the namespace import it. Absent or empty: all of them.'),
    priority: integer(0, 9999)
      .default(100)
      .describe('Modules are imported in this order, and in the order of their names where it is equal.'),
    inline: inlineModule(),
    configMapRef: moduleFromConfigMap(),
    files: deliveredFiles(),
  }),
  [oneModule],
);

export type NixModuleSpec = z.output<typeof spec>;
export type NixModule = ObjectOf<typeof spec, undefined>;

export const NixModule = defineKind({
  kind: 'NixModule',
  plural: 'nixmodules',
  shortNames: ['nm'],
  description: 'A NixOS module that hosts of the namespace share, chosen by their labels.',
  spec,
  status: undefined,
  rules: [
    {
      cel: 'self.metadata.name.size() <= 63',
      message: 'the name must have at most 63 characters',
      test: ({ metadata }) => metadata.name.length <= 63,
    },
  ],
  columns: [
    { name: 'Priority', type: 'integer', jsonPath: '.spec.priority', description: 'The order of import.' },
    ageColumn,
  ],
});

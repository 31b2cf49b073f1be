/** What users say of an addon: where it goes, what it is, and how it gets on with others. */
import { z } from 'zod';
import { dataKey, nameReference, objectName } from './common.ts';
import { atomicList, exactlyOneOf, text, withRules, withTransitions } from './rules.ts';

const fromConfigMap = z.object({
  name: objectName().describe('Name of the ConfigMap, in the same namespace.'),
  key: dataKey()
    .optional()
    .describe('Which key of its data. Absent: all of them, in the order of their names.'),
});

const manifest = withRules(
  z.object({
    inline: text({ min: 1, max: 262_144 })
      .optional()
      .describe('Objects in YAML or JSON, several with `---` between them. Not a place for secrets.'),
    configMapRef: fromConfigMap.optional().describe('Objects in YAML or JSON that a ConfigMap holds.'),
  }),
  [exactlyOneOf(['inline', 'configMapRef'])],
);

const fields = z.object({
  clusterRef: nameReference('NixCluster').describe('The cluster in which it is applied. Immutable.'),
  manifests: atomicList(manifest, 64)
    .min(1)
    .describe('Where the objects come from. Namespaced objects have to say their namespace.'),
  prune: z
    .boolean()
    .default(false)
    .describe(
      'Whether what leaves the manifests is deleted in the cluster. A Namespace goes with all that is in it.',
    ),
  conflicts: z
    .enum(['Report', 'Force'])
    .default('Report')
    .describe(
      'What happens where somebody else keeps a field that the manifests set: `Report` leaves the object as it is and says who, `Force` takes the field over.',
    ),
  deletionPolicy: z
    .enum(['Retain', 'Delete'])
    .default('Retain')
    .describe('What becomes of what was applied when the ClusterAddon is deleted.'),
});

export const clusterAddonSpec = withTransitions(fields, [
  {
    cel: 'self.clusterRef.name == oldSelf.clusterRef.name',
    message: 'clusterRef is immutable: what was applied would stay behind. Make another ClusterAddon',
  },
]);

export type ClusterAddonSpec = z.output<typeof clusterAddonSpec>;
export type ManifestSource = z.output<typeof manifest>;

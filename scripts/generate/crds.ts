import { stringify } from 'yaml';
import { crdOf } from '../../crds/crd.ts';
import { firnKinds } from '../../crds/kinds.ts';
import { banner, type Generated } from './generated.ts';

export const crdFiles = (): Generated => ({ files: crdsIn('crds/generated'), folders: ['crds/generated'] });

/** The CRDs of all kinds as YAML files of `folder`. */
export const crdsIn = (folder: string): Map<string, string> =>
  new Map(
    firnKinds.map((kind) => [
      `${folder}/${kind.plural}.yaml`,
      // Written out in full: an alias would be refused by Helm and by many a reviewer.
      `# ${banner}\n${stringify(crdOf(kind), { aliasDuplicateObjects: false, lineWidth: 0 })}`,
    ]),
  );

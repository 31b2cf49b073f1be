import { stringify } from 'yaml';
import { declarations } from '../../controllers/registry.ts';
import { crdsIn } from './crds.ts';
import { banner, type Generated } from './generated.ts';
import { rulesFor } from './rbac.ts';

/** What charts/firn has from the API and the controllers: its CRDs, and the rules of its roles. */
export function chartFiles(): Generated {
  const rules = stringify(rulesFor(declarations), { lineWidth: 0 });
  const template = `{{- /* ${banner} */ -}}\n{{- define "firn.rules" -}}\n${rules}{{- end }}\n`;
  return {
    files: new Map([...crdsIn('charts/firn/crds'), ['charts/firn/templates/_rules.tpl', template]]),
    folders: ['charts/firn/crds'],
  };
}

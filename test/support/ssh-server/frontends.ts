/** Frontends as scripted hosts play them: those of the data that is current, each with the pods that the scene has. */
import type { Observation } from '../../../controllers/lib/host/protocol.ts';
import type { HostState } from './state.ts';

/** What `observe` says under `frontends`. */
export function observeFrontends({ releases, stored, current, pods }: HostState): Observation['frontends'] {
  const release = releases.get(current ?? '');
  const file = release && stored.data.get(release.parts.data)?.get('frontends');
  if (file === undefined) return null;
  const names = [...file.toString().matchAll(/^frontend (\S+) /gm)].map(([, name]) => name!);
  return names.map((name) => ({ name, ...pods }));
}

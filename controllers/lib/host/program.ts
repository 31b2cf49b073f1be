import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where the program's parts are: `nix/host` of the source tree. */
const folder = join(import.meta.dirname, '../../../nix/host');

/**
 * The parts of the program on the host, in their order; `firn-host`, which calls what they define, comes last.
 * `prelude` sets what all others rely on.
 */
export const programParts = [
  'lib/prelude.sh',
  'lib/json.sh',
  'lib/request.sh',
  'lib/durable.sh',
  'lib/lock.sh',
  'lib/require.sh',
  'lib/fence.sh',
  'lib/trial.sh',
  'lib/bad.sh',
  'lib/parts.sh',
  'lib/space.sh',
  'lib/secrets.sh',
  'lib/files.sh',
  'lib/stage.sh',
  'lib/detached.sh',
  'lib/job.sh',
  'lib/build.sh',
  'lib/resolve.sh',
  'lib/units.sh',
  'lib/formats.sh',
  'lib/preflight.sh',
  'lib/reboot.sh',
  'lib/activate.sh',
  'lib/revert.sh',
  'lib/confirm.sh',
  'lib/boot.sh',
  'lib/settle.sh',
  'lib/prune.sh',
  'lib/reset.sh',
  'lib/observe-release.sh',
  'lib/observe-mesh.sh',
  '../modules/kubernetes/etcd-identity.sh',
  'lib/observe-etcd.sh',
  'lib/observe-frontends.sh',
  'lib/observe.sh',
  'firn-host',
] as const;

/** One text of many: what is uploaded. Exported for tests, which put something between the parts. */
export const assemble = (texts: readonly string[]): string => `#!/bin/sh\n${texts.join('\n')}`;

export const readPart = (name: string): string =>
  readFileSync(join(folder, name), 'utf8').replace(/^#!.*\n/, '');

/** What runs on hosts, as it is uploaded. Read once: a version of the operator has one program. */
export const programText: string = assemble(programParts.map(readPart));

/** SHA-256 of `programText` in hex: its file name on the host. */
export const programHash: string = createHash('sha256').update(programText).digest('hex');

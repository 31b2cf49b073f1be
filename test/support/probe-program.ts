import { createHash } from 'node:crypto';
import type { HostProgram } from '../../controllers/lib/host/call.ts';

/**
 * A program for hosts that does as it is told: `log` runs its field `what` as a script and answers what that printed,
 * `stage` refuses with the SHA-256 of the payload. For looking at the surroundings of a program, not at ours.
 */
const text = `#!/bin/sh
field() { while read -r name value; do [ "$name" != "$1" ] || printf %s "$value"; done <&3; }
refuse() { printf '{"ok":false,"code":"Failed","messageB64":"%s"}\\n' "$(printf %s "$1" | base64 | tr -d '\\n')"; exit 1; }
case $1 in
log)
  script=$(field what | base64 -d)
  case $script in
  garbage) echo 'these words'; echo 'those words' >&2; exit 7 ;;
  esac
  printf '{"ok":true,"textB64":"%s"}\\n' "$(eval "$script" | base64 | tr -d '\\n')"
  ;;
stage)
  bytes=$(field payloadBytes)
  echo 'words on standard error' >&2
  echo FIRN-SEND
  refuse "$(head -c "$bytes" | sha256sum | cut -c1-64)"
  ;;
esac
`;

export const probeProgram: HostProgram = { text, hash: createHash('sha256').update(text).digest('hex') };

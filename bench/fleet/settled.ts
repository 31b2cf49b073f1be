import type { Sealed } from '../../controllers/lib/core/sealed.ts';
import { programHash } from '../../controllers/lib/host/program.ts';
import { partNames } from '../../controllers/lib/host/protocol.ts';
import { lockedFromPin } from '../../controllers/lib/nix/flake-lock.ts';
import { readFirnModules } from '../../controllers/lib/nix/modules.ts';
import { type Desired, desiredRelease } from '../../controllers/nixnode/desired.ts';
import { NixNode } from '../../crds/index.ts';
import type { ScriptedHost } from '../../test/support/ssh-server/scripted-hosts.ts';
import { systemPath } from '../../test/support/ssh-server/state.ts';
import { manifestOf, nixpkgs } from './nodes.ts';

export type Fleet = { hosts: readonly ScriptedHost[]; publicKey: string };

/**
 * Makes hosts what they are long after their deployment: each runs, confirmed, the release that its NixNode asks for,
 * and has the operator's program. The release is rendered as the operator renders it, with its installation's key.
 */
export function settle({ hosts, publicKey }: Fleet, hmacKey: Sealed<Uint8Array>): void {
  const firnModules = readFirnModules();
  const locked = lockedFromPin(nixpkgs.url, nixpkgs);
  hosts.forEach((host, index) => {
    const desired = desiredRelease({
      node: NixNode.parse(asStored(manifestOf(index, host))),
      modules: [],
      content: { configMap: refuse, secret: refuse },
      system: host.state.facts.system,
      nixpkgs: { url: nixpkgs.url, locked },
      member: null,
      authorizedKeys: [publicKey],
      firnModules,
      hmacKey,
    });
    run(host, desired);
  });
}

const asStored = (manifest: ReturnType<typeof manifestOf>) => ({
  ...manifest,
  metadata: { ...manifest.metadata, uid: 'any', resourceVersion: '1' },
});

function refuse(): never {
  throw new Error('the nodes of a measured fleet refer to nothing');
}

function run({ state }: ScriptedHost, { id, parts }: Desired): void {
  const system = systemPath(parts.system);
  // Only their names are ever asked for while nothing changes.
  for (const part of partNames) state.stored[part].set(parts[part], new Map());
  state.programs.add(programHash);
  state.releases.set(id, { parts, manifest: '', system, stagedAt: Date.now(), wasConfirmed: true });
  state.running = { system, booted: system, profile: system, generation: 2 };
  state.current = id;
  state.confirmed = id;
}

/** Systems of the stand-in, built on a test host from a module, and switched to. */
import type { TestHost } from './hosts/test-host.ts';

const system = (name: string) => `/root/generations/${name}/result`;

/** The flake of a host: release 0 and a module. */
const flake = `{
  inputs.nixpkgs.url = "path:/srv/nixpkgs";
  outputs = { nixpkgs, ... }: {
    nixosConfigurations.host = nixpkgs.lib.nixosSystem {
      system = "x86_64-linux";
      modules = [ "\${nixpkgs}/release0.nix" ./module.nix ];
    };
  };
}`;

/** Builds a system and returns its store path. Rejects with what Nix said. */
export async function build(host: TestHost, name: string, module: string): Promise<string> {
  const folder = `/root/generations/${name}`;
  await host.run(`mkdir -p ${folder}/flake && cat >${folder}/flake/module.nix`, { input: module });
  await host.run(`cat >${folder}/flake/flake.nix`, { input: flake });
  const { stdout } = await host.run(
    `nix --extra-experimental-features 'nix-command flakes' build --no-write-lock-file --out-link ${system(name)} \\
      path:${folder}/flake#nixosConfigurations.host.config.system.build.toplevel && readlink ${system(name)}`,
  );
  return stdout.trim();
}

export type Action = 'switch' | 'boot' | 'test' | 'dry-activate';

/** Runs a built system's `switch-to-configuration`: its exit status and what it said. */
export async function activate(
  host: TestHost,
  toplevel: string,
  action: Action,
): Promise<{ code: number; said: string }> {
  const { code, stdout, stderr } = await host.run(`${toplevel}/bin/switch-to-configuration ${action}`, {
    allowFailure: true,
  });
  return { code, said: stdout + stderr };
}

/** Which units ran when: an invocation ID changes with every start. Empty for a unit that is not active. */
export async function invocations(host: TestHost, units: readonly string[]): Promise<Record<string, string>> {
  const { stdout } = await host.run(
    `for unit in ${units.join(' ')}; do
      if systemctl --quiet is-active -- "$unit"; then systemctl show --value --property=InvocationID -- "$unit"; else echo; fi
    done`,
  );
  const lines = stdout.split('\n');
  return Object.fromEntries(units.map((unit, index) => [unit, lines[index] ?? '']));
}

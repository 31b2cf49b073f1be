import { createHash } from 'node:crypto';
import { ReconcileError } from '../core/outcome.ts';
import { type FlakeInput, renderFlakeLock } from './flake-lock.ts';
import { type NixValue, print, printRelativePath } from './print.ts';
import { assertTree, type Tree } from './tree.ts';

/** NixModules have priorities below this one; a node's own modules count up from it, so that they come last. */
export const nodeModulePriority = 10_000;
const priorityDigits = 5;
/** The name field of a ustar header (POSIX pax, "ustar Interchange Format"). */
const longestFileName = 100;

export type UserModule = {
  kind: 'NixModule' | 'NixNode';
  /** Of the object that it comes from. */
  name: string;
  /** Of the ConfigMap, where it comes from one. */
  key?: string;
  /** Imported in this order; then by kind, name and key. From 0 to 99999. */
  priority: number;
  /** Nix, as the user wrote it; carried unchanged. */
  text: string;
};

/** Packages of another nixpkgs than the system's: `kubernetes.packages.kubelet` below `firn` is its `kubernetes`. */
export type PackageSource = FlakeInput & { options: { readonly [option: string]: string } };

export type BundleInput = {
  /** As Nix names it: `x86_64-linux`. */
  system: string;
  hostName: string;
  stateVersion: string;
  nixpkgs: {
    url: string;
    /** The `locked` half of the lock file's node: from a resolver, or `lockedFromPin`. */
    locked: unknown;
  };
  packages?: readonly PackageSource[];
  /** How the operator comes in, and must still come in after the switch. */
  ssh: { user: string; port: number; authorizedKeys: readonly string[] };
  /** Further options below `firn`, such as its place in a cluster. */
  firn?: { readonly [option: string]: NixValue };
  modules: readonly UserModule[];
  /** nix/modules, with paths relative to it. */
  firnModules: Tree;
};

/**
 * The system part of a release: a flake whose only output is `nixosConfigurations.host`. Pure: the same input gives the
 * same bytes. Nothing of the input is written into Nix text but through the printer. Throws terminal `ReconcileError`s.
 */
export function renderBundle(input: BundleInput): Tree {
  const modules = nameModules(input.modules);
  const files = new Map<string, string | Uint8Array>([
    ['flake.nix', renderFlake(input, [...modules.keys()])],
    ['flake.lock', renderFlakeLock([{ name: 'nixpkgs', ...input.nixpkgs }, ...sourcesOf(input)])],
    ['host.nix', renderHost(input)],
    ...[...modules].map(([file, module]) => [`modules/${file}`, module.text] as const),
    ...[...input.firnModules].map(([path, content]) => [`firn/${path}`, content] as const),
  ]);
  assertTree(files);
  return new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function renderFlake(input: BundleInput, moduleFiles: readonly string[]): string {
  const imports = ['firn', 'host.nix', ...moduleFiles.map((file) => `modules/${file}`)];
  const sources = sourcesOf(input);
  const inputs = [{ name: 'nixpkgs', url: input.nixpkgs.url }, ...sources];
  const packages = sources.flatMap((source) => packageLines(source, input.system)).sort();
  const module = packages.length === 0 ? '' : `          {\n${packages.join('')}          }\n`;
  return `{
${inputs.map(({ name, url }) => `  inputs.${name}.url = ${print(url)};\n`).join('')}
  outputs =
    { ${inputs.map(({ name }) => name).join(', ')}, ... }:
    {
      nixosConfigurations.host = nixpkgs.lib.nixosSystem {
        system = ${print(input.system)};
        modules = [
${imports.map((path) => `          ${printRelativePath(path)}\n`).join('')}${module}        ];
      };
    };
}
`;
}

/** Names and options are Nix text as they are: they are ours, and this is where that is made sure of. */
const plainName = /^[a-z][A-Za-z0-9]*([.-][a-z0-9][A-Za-z0-9]*)*$/;

function sourcesOf({ packages = [] }: BundleInput): PackageSource[] {
  for (const { name, options } of packages) {
    const odd = [name, ...Object.entries(options).flat()].find((text) => !plainName.test(text));
    if (odd !== undefined) throw new Error(`${JSON.stringify(odd)} is not a name that flake.nix can have`);
  }
  return [...packages].sort((a, b) => (a.name < b.name ? -1 : 1));
}

const packageLines = ({ name, options }: PackageSource, system: string): string[] =>
  Object.entries(options).map(
    ([option, attribute]) =>
      `            firn.${option} = ${name}.legacyPackages.${print(system)}.${attribute};\n`,
  );

/** Values only: what they mean is written in nix/modules. */
function renderHost(input: BundleInput): string {
  const { user, port, authorizedKeys } = input.ssh;
  return `${print({
    firn: { ...input.firn, host: { enable: true, ssh: { user, port, authorizedKeys } } },
    networking: { hostName: input.hostName },
    system: { stateVersion: input.stateVersion },
  })}\n`;
}

/** File name by module, in the order of import, which is the order of the names. */
function nameModules(modules: readonly UserModule[]): Map<string, UserModule> {
  const plain = modules.map((module) => ({ module, stem: stemOf(module) }));
  const uses = Map.groupBy(plain, ({ stem }) => stem);
  const named = new Map<string, UserModule>();
  for (const { module, stem } of plain) {
    // `a-b` with key `c` and `a` with key `b-c` would share a name.
    const ambiguous = stem.length + '.nix'.length > longestFileName || (uses.get(stem)?.length ?? 0) > 1;
    const file = ambiguous ? `${stem.slice(0, 80)}-${fingerprint(module)}.nix` : `${stem}.nix`;
    if (named.has(file)) {
      throw new ReconcileError(
        'terminal',
        'ModuleGivenTwice',
        `the module ${[module.kind, module.name, module.key].filter(Boolean).join(' ')} is given twice`,
      );
    }
    named.set(file, module);
  }
  return new Map([...named].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function stemOf({ kind, name, key, priority }: UserModule): string {
  if (!Number.isInteger(priority) || priority < 0 || priority >= 10 ** priorityDigits) {
    throw new ReconcileError(
      'terminal',
      'PriorityOutOfRange',
      `the priority of ${kind} ${name} is ${priority}; it must be a whole number from 0 to 99999`,
    );
  }
  const digits = String(priority).padStart(priorityDigits, '0');
  return [digits, kind, name, ...(key === undefined ? [] : [key.replace(/\.nix$/, '')])].join('-');
}

const fingerprint = ({ kind, name, key }: UserModule): string =>
  createHash('sha256')
    .update(JSON.stringify([kind, name, key ?? null]))
    .digest('hex')
    .slice(0, 10);

import { z } from 'zod';
import { ReconcileError } from '../core/outcome.ts';
import { type FlakeAttributes, parseFlakeRef } from './flake-ref.ts';

const rev = z.string().regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/);
const common = {
  narHash: z.string().regex(/^sha256-[A-Za-z0-9+/]{43}=$/),
  /** Seconds since the epoch; nixpkgs shows it in its version. */
  lastModified: z.int().nonnegative().optional(),
  dir: z.string().optional(),
};
const forge = { owner: z.string(), repo: z.string(), host: z.string().optional(), rev, ...common };

/**
 * The `locked` half of a lock file's node, by type: what Nix writes there (nix manual, "Lock files"). Anything else that
 * a Nix reports, such as `__final` since 2.20, is left out.
 */
const lockedSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('github'), ...forge }),
  z.object({ type: z.literal('gitlab'), ...forge }),
  z.object({
    type: z.literal('git'),
    url: z.string(),
    ref: z.string().optional(),
    rev,
    revCount: z.int().optional(),
    shallow: z.boolean().optional(),
    submodules: z.boolean().optional(),
    ...common,
  }),
  z.object({
    type: z.literal('tarball'),
    url: z.string(),
    rev: rev.optional(),
    revCount: z.int().optional(),
    ...common,
  }),
  z.object({
    type: z.literal('path'),
    path: z.string(),
    rev: rev.optional(),
    revCount: z.int().optional(),
    ...common,
  }),
]);
export type Locked = z.output<typeof lockedSchema>;

/** What a resolver reported under `locked`, made trustworthy. Throws terminal `NixpkgsPinUnusable`. */
export function parseLocked(raw: unknown): Locked {
  const parsed = lockedSchema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues.map((issue) => issue.path.join('.') || 'type').join(', ');
  throw new ReconcileError(
    'terminal',
    'NixpkgsPinUnusable',
    `nixpkgs was resolved to something that cannot be locked (${where})`,
  );
}

/**
 * The `locked` half from what the user pinned, without asking any host; null where resolving is needed. Without
 * `lastModified`, which only resolving tells, a nixpkgs that is already in a store calls itself "19700101".
 */
export function lockedFromPin(url: string, pin: { rev?: string; narHash?: string }): Locked | null {
  const { ref, ...original } = parseFlakeRef(url);
  if (original.rev !== undefined && pin.rev !== undefined && original.rev !== pin.rev) {
    throw new ReconcileError(
      'terminal',
      'NixpkgsPinUnusable',
      `the nixpkgs URL names revision ${original.rev}, but rev says ${pin.rev}`,
    );
  }
  const pinnedRev = pin.rev ?? original.rev;
  if (pin.narHash === undefined) return null;
  const byContent = original.type === 'tarball' || original.type === 'path';
  if (!byContent && pinnedRev === undefined) return null;
  return parseLocked({
    ...original,
    // git looks for a revision in a branch; the forges take it alone.
    ...(original.type === 'git' && ref !== undefined && { ref }),
    // Of a tarball or a folder the hash says all, and a revision is an attribute that older Nix does not know.
    ...(!byContent && { rev: pinnedRev }),
    narHash: pin.narHash,
  });
}

/** An input of the flake; its name is part of Nix text. */
export type FlakeInput = { name: string; url: string; locked: unknown };

/**
 * flake.lock, version 7. Nix accepts it unchanged only if `original` is what the URL in flake.nix means; nixpkgs itself
 * has no inputs, so a flake that has some is refused by Nix, not here.
 */
export function renderFlakeLock(inputs: readonly FlakeInput[]): string {
  const named = [...inputs].sort((a, b) => (a.name < b.name ? -1 : 1));
  const lock = {
    nodes: {
      ...Object.fromEntries(named.map((input) => [input.name, lockNode(input)])),
      root: { inputs: Object.fromEntries(named.map(({ name }) => [name, name])) },
    },
    root: 'root',
    version: 7,
  };
  return `${JSON.stringify(lock, null, 2)}\n`;
}

function lockNode({ url, locked: raw }: FlakeInput): object {
  const original = parseFlakeRef(url);
  const locked = parseLocked(raw);
  if (locked.type !== original.type) {
    throw new ReconcileError(
      'terminal',
      'NixpkgsPinUnusable',
      `nixpkgs is locked as ${locked.type}, but its URL is of type ${original.type}`,
    );
  }
  return { locked: sorted(locked), original: sorted(original) };
}

const sorted = (attributes: FlakeAttributes | Locked): object =>
  Object.fromEntries(Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1)));

#!/bin/sh
# Everything that can be said without running anything: format, types, shell, and that nothing generated is stale.
set -eu
cd "$(dirname "$0")/.."
echo "firn: format and lint …" >&2
biome check --error-on-warnings .
echo "firn: types …" >&2
tsc -p .
if command -v shellcheck >/dev/null; then
  echo "firn: shell …" >&2
  shellcheck scripts/*.sh cli/*.sh nix/modules/firewall/*.sh nix/modules/kubernetes/*.sh nix/modules/routes/*.sh
  # The parts of one program.
  cat nix/modules/mesh/*.sh | shellcheck --shell=bash -
else
  echo "firn: shellcheck is not installed; shell scripts go unchecked" >&2
fi
if grep -q '"resolved"' package-lock.json; then
  echo "package-lock.json names a registry: run npm run lock" >&2
  exit 1
fi
echo "firn: generated files …" >&2
node scripts/generate.ts --check

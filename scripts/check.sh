#!/bin/sh
# The one door before a commit: format, types, lint, layers, unit, property, and that nothing generated is stale.
set -eu
cd "$(dirname "$0")/.."
biome check --error-on-warnings .
tsc -p .
if command -v shellcheck >/dev/null; then shellcheck scripts/*.sh nix/host/firn-host; else echo "firn: shellcheck is not installed; shell scripts go unchecked" >&2; fi
if grep -q '"resolved"' package-lock.json; then echo "package-lock.json names a registry: run npm run lock" >&2; exit 1; fi
node scripts/generate.ts --check
node scripts/test.ts unit property

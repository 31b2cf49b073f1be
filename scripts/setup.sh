#!/bin/sh
# Installs the dependencies that package-lock.json names, Node 24 among them, if that was not done yet.
# Idempotent and quick when there is nothing to do.
set -eu
cd "$(dirname "$0")/.."
want=$(cksum <package-lock.json)
mark=node_modules/.firn-installed
if [ "$(cat "$mark" 2>/dev/null || true)" = "$want" ]; then exit 0; fi
command -v npm >/dev/null || { echo "firn: npm is needed; any Node since 18 brings it, and it installs Firn's own Node 24" >&2; exit 1; }
echo "firn: installing dependencies (Node 24 among them) into node_modules …" >&2
# Not `npm ci`: it refuses a lock file in which a registry had no package for some foreign platform.
# Versions and hashes are those of the lock file all the same.
npm install --no-save --loglevel=error >&2
node_modules/.bin/node --version >/dev/null
printf '%s' "$want" >"$mark"

#!/bin/sh
# Runs a command after set-up, with the project's own Node 24 first in PATH.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
sh "$here/scripts/setup.sh"
PATH="$here/node_modules/.bin:$PATH"
export PATH
exec "$@"

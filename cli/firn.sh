#!/bin/sh
# firn, or kubectl-firn where it is called by that name, from any folder: with the project's own Node 24, and its set-up.
set -eu
here=$(dirname "$(readlink -f "$0")")
sh "$here/../scripts/setup.sh"
FIRN_PROGRAM=${0##*/}
export FIRN_PROGRAM
exec "$here/../node_modules/.bin/node" "$here/firn.ts" "$@"

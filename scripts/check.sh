#!/bin/sh
# The one door before a commit: lint, then what tests run in seconds.
set -eu
cd "$(dirname "$0")/.."
sh scripts/lint.sh
node scripts/test.ts unit property

#!/bin/sh
# Make a dataset of the raw sources: sh task/scripts/build.sh [--seed N]
set -eu
cd "$(dirname "$0")/../.."
exec python task/repositories/gazetteer/build.py "$@"

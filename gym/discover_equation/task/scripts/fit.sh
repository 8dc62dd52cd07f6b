#!/bin/sh
# Fit an equation to each system and write a submission: sh task/scripts/fit.sh
set -eu
cd "$(dirname "$0")/../.."
exec python task/repositories/oscillators/fit.py "$@"

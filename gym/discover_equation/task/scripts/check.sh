#!/bin/sh
# Rate the equations in data/outputs on the development runs, as often as you like: sh task/scripts/check.sh
set -eu
cd "$(dirname "$0")/../.."
exec python task/repositories/oscillators/check.py "$@"

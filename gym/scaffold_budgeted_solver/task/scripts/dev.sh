#!/bin/sh
# Try a scaffold on the development questions, as often as you like: sh task/scripts/dev.sh [FILE] [--seed WORD]
set -eu
cd "$(dirname "$0")/../.."
exec python task/repositories/scaffold_lab/dev.py "$@"

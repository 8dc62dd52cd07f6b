#!/bin/sh
# Copy a scaffold to where it is evaluated: sh task/scripts/submit.sh [FILE]
set -eu
cd "$(dirname "$0")/../.."
mkdir -p data/outputs
cp "${1:-task/repositories/scaffold_lab/scaffold.txt}" data/outputs/scaffold.txt

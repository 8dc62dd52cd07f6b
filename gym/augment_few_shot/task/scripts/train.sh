#!/bin/sh
# Train on the labelled images and write a submission: sh task/scripts/train.sh [--seed N]
set -eu
cd "$(dirname "$0")/../.."
exec python task/repositories/few_shot_mlp/train.py "$@"

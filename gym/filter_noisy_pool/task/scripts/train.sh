#!/bin/sh
# Choose examples, train on them and write a submission: sh task/scripts/train.sh [--seed N] [--ids FILE]
set -eu
cd "$(dirname "$0")/../.."
exec python task/repositories/definition_classifier/train.py "$@"

#!/bin/sh
# Train with the reward in the repository and write a submission: sh task/scripts/train.sh [--seed N]
set -eu
cd "$(dirname "$0")/../.."
# The matrices are too small to share, and threads that wait for each other take time from other programs.
export OMP_NUM_THREADS=1
exec python task/repositories/acrobot_ppo/train.py "$@"

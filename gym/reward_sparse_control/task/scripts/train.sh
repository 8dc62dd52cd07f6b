#!/bin/sh
# Train with the reward in the repository and write a submission: sh task/scripts/train.sh [--seed N]
set -eu
cd "$(dirname "$0")/../.."
exec python task/repositories/acrobot_ppo/train.py "$@"

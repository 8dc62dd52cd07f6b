#!/bin/sh
# Runs in the workspace; this folder is elsewhere and read-only.
set -eu
# The matrices are too small to share, and threads that wait for each other take time from other programs.
export OMP_NUM_THREADS=1
exec python -B "$(dirname "$0")/solve.py"

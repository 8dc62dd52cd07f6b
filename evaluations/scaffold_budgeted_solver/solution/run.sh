#!/bin/sh
# Runs in the workspace; this folder is elsewhere and read-only.
set -eu
exec python -B "$(dirname "$0")/solve.py"

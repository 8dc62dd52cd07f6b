#!/bin/sh
# Runs in the workspace; this folder is elsewhere and read-only.
set -eu
exec python3 -B "$(dirname "$0")/solve.py"

#!/bin/sh
# TEMPLATE: start your own code
# Write a submission with the code in the repository.
set -eu
exec python3 "$(dirname "$0")/../repositories/smoother/smooth.py"

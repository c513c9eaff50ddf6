#!/bin/sh
# A language runtime's habit: threads, a pool of forked workers, and a garbage collector in each.
set -e
${PYTHON:-python3} "$(dirname "$0")/python-multiprocessing.py"

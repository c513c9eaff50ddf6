#!/bin/sh
# A prefork server's habit: a warmed-up parent forks workers, which answer requests and write their own memory.
set -e
${PYTHON:-python3} "$(dirname "$0")/prefork-server.py"

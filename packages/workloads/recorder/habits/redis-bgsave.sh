#!/bin/sh
# A database's habit: fork to take a snapshot, and go on writing while the child reads.
set -e
work=$(mktemp -d)
cd "$work"
redis-server --port 17171 --bind 127.0.0.1 --save '' --daemonize no --loglevel warning > /dev/null &
server=$!
trap 'kill "$server" 2> /dev/null || true; wait "$server" || true; rm -r "$work"' EXIT
ask() { redis-cli -p 17171 "$@"; }
until ask ping > /dev/null 2>&1; do sleep 0.1; done
redis-benchmark -p 17171 -q -t set -n 40000 -r 20000 -d 200 > /dev/null
for round in 1 2 3 4; do
  ask bgsave > /dev/null
  redis-benchmark -p 17171 -q -t set,lpush -n 10000 -r 20000 -d 220 > /dev/null
  while [ "$(ask info persistence | grep -c rdb_bgsave_in_progress:1)" = 1 ]; do sleep 0.1; done
done
ask shutdown nosave || true

#!/bin/sh
# A database's habit: fork to take a snapshot, and go on writing while the child reads.
set -e
work=$(mktemp -d)
cd "$work"
redis-server --port 17171 --bind 127.0.0.1 --save '' --daemonize no --loglevel warning --io-threads 1 > /dev/null &
server=$!
trap 'rm -r "$work"' EXIT
ask() { redis-cli -p 17171 "$@"; }
until ask ping > /dev/null 2>&1; do sleep 0.1; done
ask debug populate 20000 key 100 > /dev/null 2>&1 || redis-benchmark -p 17171 -q -t set -n 20000 -r 20000 -d 100 > /dev/null
for round in 1 2; do
  ask bgsave > /dev/null
  redis-benchmark -p 17171 -q -t set,lpush -n 5000 -r 20000 -d 120 > /dev/null
  while [ "$(ask info persistence | grep -c rdb_bgsave_in_progress:1)" = 1 ]; do sleep 0.1; done
done
ask shutdown nosave || true
wait $server || true

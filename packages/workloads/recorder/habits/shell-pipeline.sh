#!/bin/sh
# A shell script's habit: many short programs, joined by pipes.
set -e
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
cd "$work"
awk 'BEGIN { srand(1); for (i = 0; i < 20000; i++) print int(rand() * 1000), "line", i }' > numbers
for round in 1 2 3; do
  for key in 1 2 3; do
    sort -k "$key" numbers | uniq -c | awk '{ s += $1 } END { print s }'
    grep -c "line $key$round" numbers | sed 's/^/found /'
    cut -d ' ' -f "$key" numbers | sort | uniq | head -n 5 | tr '\n' ' ' | wc -c
  done
  tar cf - numbers | gzip -6 | gzip -d | tar tf - | xargs -n 1 basename
done
find /usr/share/doc -maxdepth 1 -name 'g*' | sort | head -n 20 | wc -l

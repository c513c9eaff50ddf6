#!/bin/sh
# A build's habit: make starts compilers side by side, which start assemblers and linkers by vfork.
set -e
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
cd "$work"
for i in 1 2 3 4 5 6 7 8; do
  cat > f$i.c << END
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static int compare(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }
int f$i(int n) {
  char *words[64];
  for (int i = 0; i < 64; i++) {
    words[i] = malloc(32);
    snprintf(words[i], 32, "%d", (i * n + $i) % 97);
  }
  qsort(words, 64, sizeof *words, compare);
  int sum = 0;
  for (int i = 0; i < 64; i++) {
    sum += atoi(words[i]) * i;
    free(words[i]);
  }
  return sum;
}
END
done
cat > main.c << END
int f1(int), f2(int), f3(int), f4(int), f5(int), f6(int), f7(int), f8(int);
int main(void) { return (f1(9) + f2(9) + f3(9) + f4(9) + f5(9) + f6(9) + f7(9) + f8(9)) & 0; }
END
printf 'OBJECTS = main.o f1.o f2.o f3.o f4.o f5.o f6.o f7.o f8.o\nprogram: $(OBJECTS)\n\tcc -o $@ $(OBJECTS)\n%%.o: %%.c\n\tcc -O2 -c $<\n' > Makefile
make -s -j2
./program

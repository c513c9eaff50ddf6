#!/bin/sh
# A build's habit: make starts compilers side by side, which start assemblers and linkers by vfork.
set -e
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
cd "$work"
for i in 1 2 3 4; do
  printf '#include <stdio.h>\n#include <stdlib.h>\nint f%s(int n) { int s = 0; for (int i = 0; i < n; i++) s += i %% %s; return s + printf("%%d", s); }\n' $i $((i + 1)) > f$i.c
done
printf 'int f1(int), f2(int), f3(int), f4(int);\nint main(void) { return (f1(9) + f2(9) + f3(9) + f4(9)) & 0; }\n' > main.c
printf 'OBJECTS = main.o f1.o f2.o f3.o f4.o\nprogram: $(OBJECTS)\n\tcc -o $@ $(OBJECTS)\n%%.o: %%.c\n\tcc -O2 -c $<\n' > Makefile
make -s -j2
./program > /dev/null

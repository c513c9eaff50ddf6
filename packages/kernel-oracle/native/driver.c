/*
 * Reads commands, one a line, and answers each with a line; a line "." asks for the answers so far. Processes are named by slot;
 * slot 0 is there from the start and is only ever forked.
 *
 *   s P NR A0..A5        a system call                         r P ADDRESS          a load
 *   w P ADDRESS WORD     a store                               f P CHILD, t P CHILD fork, and clone with CLONE_VM
 *   e P                  exec                                  x P                  exit
 *   k N                  N passes of ksmd                      m                    all pages of KSM are given back
 *   + DEVICE, - DEVICE   swapon, swapoff                       b P PAGES            brk, relative to where it is
 *   L, W, U              lock the machine, wait for that, unlock it
 *   a, A                 the file as it was: its first pages, all of it
 *   u P TO FROM BYTES START END   UFFDIO_MOVE into the VMA [START, END)
 *   h P..                a look at these processes as a hash, with the live vm_area_struct, anon_vma and anon_vma_chain
 *   l P..                the same with the records instead of their hash
 *
 * The answer is 0 or what a system call answered: a negative errno; of a touch minus the signal.
 */
#define _GNU_SOURCE
#include "daemons.h"
#include "look.h"
#include "tree.h"
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

static void observe(char *q, int print) {
  int slots[SLOTS], n = 0;
  long live[3];
  for (char *end; n < SLOTS; q = end) {
    long slot = strtol(q, &end, 0);
    if (end == q) break;
    if (slot < 0 || slot >= SLOTS || !processes[slot].pid) continue;
    slots[n++] = slot;
  }
  look(slots, n, print);
  counts_read(live);
  printf("|%ld %ld %ld\n", live[0], live[1], live[2]);
}

static long relative_brk(int p, long pages) {
  long at = tree_syscall(p, SYS_brk, 0, 0, 0);
  return tree_syscall(p, SYS_brk, at + pages * 4096, 0, 0) < 0 ? -1 : 0;
}

static long call(char command, int p, const unsigned long a[6], long nr) {
  switch (command) {
  case 's': {
    long r = tree_call(p, DO_SYSCALL, nr, a);
    return r > 0 ? 0 : r;
  }
  case 'r': return tree_call(p, DO_READ, 0, a);
  case 'w': return tree_call(p, DO_WRITE, 0, a);
  case 'f': return tree_fork(p, a[0], 0);
  case 't': return tree_fork(p, a[0], CLONE_VM);
  case 'e': return tree_exec(p);
  case 'b': return relative_brk(p, a[0]);
  case 'u': return userfault_move(p, a[0], a[1], a[2], a[3], a[4]);
  case 'x': tree_exit(p); return 0;
  default: return -38; /* ENOSYS */
  }
}

static void obey(char *line) {
  char command = line[0], *q = line + 1;
  if (command == 'h' || command == 'l') {
    observe(q, command == 'l');
    return;
  }
  long r = 0, nr = 0;
  if (command == 'k') ksm_scan(atoi(q));
  else if (command == 'm') ksm_unmerge();
  else if (command == 'a') tree_fill_ends();
  else if (command == 'A') tree_fill_file();
  else if (command == 'L' || command == 'W') r = lock_system(command == 'W');
  else if (command == 'U') unlock_system();
  else if (command == '+' || command == '-') {
    const char *path = q + 1;
    q[strcspn(q, "\n")] = 0;
    r = command == '+' ? swap_on(path) : swap_off(path);
  } else {
    unsigned long a[6] = {0};
    int p = strtol(q, &q, 0);
    if (p < 0 || p >= SLOTS || !processes[p].pid) {
      puts("-3"); /* ESRCH */
      return;
    }
    if (command == 's') nr = strtol(q, &q, 0);
    for (int k = 0; k < 6; k++) a[k] = strtoul(q, &q, 0);
    r = call(command, p, a, nr);
  }
  printf("%ld\n", r);
}

int main(int argc, char **argv) {
  static char line[4096];
  if (argc < 2) {
    fprintf(stderr, "usage: driver WORKER [BPF_OBJECT]\n");
    return 2;
  }
  setvbuf(stdout, 0, _IOFBF, 1 << 20);
  look_init(argv[2]);
  tree_start(argv[1]);
  counts_init(processes[0].pid);
  puts("ready");
  fflush(stdout);
  while (fgets(line, sizeof line, stdin)) {
    if (line[0] == '.') fflush(stdout);
    else obey(line);
  }
  tree_kill_all();
  return 0;
}

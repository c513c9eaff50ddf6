/*
 * Runs an operation list on the running kernel and says how long its timed part took: kernel-speed < LIST
 *
 * LIST: the number of operations and of those that come before the timed part, then one operation a line:
 *   PROCESS KIND A B C     what it means is said at perform()
 * Process 0 is this one, the others are its children. Prints "NANOSECONDS CALLS PAGES SWAPPED": calls made and pages
 * touched in the timed part, and pages that a page-out got rid of. Ends with status 1 and a reason when a call fails.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096UL
#define PROCESSES 64

struct operation {
  int process;
  char kind;
  unsigned long a, b, c;
};

/* Shared, so that no fork copies it and no child gets pages of its own for it. */
static struct shared {
  long nanoseconds, calls, pages, swapped;
  struct operation list[];
} *shared;

static int me, setup, total;
static int orders[PROCESSES][2], done[2];
static pid_t pids[PROCESSES];

static void fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  exit(1);
}

static long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000L + t.tv_nsec;
}

static void run(int from, int to);

/* The life of a child: ranges of operations, each of which it confirms. */
static void obey(int process) {
  int range[2];
  me = process;
  while (read(orders[me][0], range, sizeof range) == sizeof range) {
    run(range[0], range[1]);
    if (write(done[1], "", 1) != 1) fail("pipe");
  }
  _exit(0);
}

static void command(int process, int from, int to) {
  int range[2] = {from, to};
  char answer;
  if (write(orders[process][1], range, sizeof range) != sizeof range || read(done[0], &answer, 1) != 1) fail("pipe");
}

static void make_child(int process) {
  pid_t pid = fork();
  if (pid < 0) fail("fork");
  if (pid == 0) obey(process);
  pids[process] = pid;
}

static void end_child(int process) {
  if (kill(pids[process], SIGKILL) || waitpid(pids[process], 0, 0) < 0) fail("exit");
  pids[process] = 0;
}

/* However it ends: a child that is left keeps our output open. */
static void end_children(void) {
  for (int i = 1; me == 0 && i < PROCESSES; i++)
    if (pids[i] != 0) end_child(i);
}

static void *at(unsigned long address) { return (void *)address; }

static void perform(const struct operation *o) {
  shared->calls++;
  switch (o->kind) {
  case 'm': /* mmap B pages at A, PROT_* C */
    if (mmap(at(o->a), o->b * PAGE, o->c, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) fail("mmap");
    break;
  case 'u': /* munmap B pages at A */
    if (munmap(at(o->a), o->b * PAGE)) fail("munmap");
    break;
  case 'p': /* mprotect B pages at A to PROT_* C */
    if (mprotect(at(o->a), o->b * PAGE, o->c)) fail("mprotect");
    break;
  case 'v': /* mremap B pages from A to C */
    if (mremap(at(o->a), o->b * PAGE, o->b * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, o->c) == MAP_FAILED) fail("mremap");
    break;
  case 'w': /* write to each of B pages at A */
    for (unsigned long i = 0; i < o->b; i++)
      *(volatile char *)(o->a + i * PAGE) = 1;
    shared->pages += o->b;
    break;
  case 'f': /* fork process A */
    make_child(o->a);
    break;
  case 'x': /* process A exits */
    end_child(o->a);
    break;
  case 'o': /* MADV_PAGEOUT of B pages at A */
    if (madvise(at(o->a), o->b * PAGE, MADV_PAGEOUT)) fail("madvise(MADV_PAGEOUT)");
    shared->pages += o->b;
    break;
  default:
    errno = EINVAL;
    fail("unknown operation");
  }
}

/* Pages of the range that are in swap now: bit 62 of pagemap, which needs no privileges. */
static long swapped(unsigned long from, unsigned long pages) {
  int file = open("/proc/self/pagemap", O_RDONLY);
  unsigned long entry;
  long found = 0;
  for (unsigned long i = 0; i < pages; i++)
    if (pread(file, &entry, sizeof entry, (from / PAGE + i) * sizeof entry) == sizeof entry) found += entry >> 62 & 1;
  close(file);
  return found;
}

static void run(int from, int to) {
  if (from == setup) shared->calls = shared->pages = 0;
  long start = now();
  for (int i = from; i < to; i++)
    perform(&shared->list[i]);
  if (from != setup) return;
  shared->nanoseconds = now() - start;
  for (int i = from; i < to; i++)
    if (shared->list[i].kind == 'o') shared->swapped += swapped(shared->list[i].a, shared->list[i].b);
}

/* Operations that one process does on one side of the clock's start. */
static int stretch(int from) {
  int to = from + 1;
  while (to < total && to != setup && shared->list[to].process == shared->list[from].process)
    to++;
  return to;
}

int main(void) {
  if (scanf("%d %d", &total, &setup) != 2 || setup >= total) return 2;
  shared = mmap(0, sizeof *shared + total * sizeof *shared->list, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) fail("mmap");
  for (int i = 0; i < total; i++) {
    struct operation *o = &shared->list[i];
    if (scanf("%d %c %lu %lu %lu", &o->process, &o->kind, &o->a, &o->b, &o->c) != 5) return 2;
    if (o->process >= PROCESSES || (strchr("fx", o->kind) && o->a >= PROCESSES)) return 2;
  }
  for (int i = 0; i < PROCESSES; i++)
    if (pipe(orders[i])) fail("pipe");
  if (pipe(done)) fail("pipe");
  atexit(end_children);
  prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
  /* One CPU, as the model has one thread; and what was touched there is on its LRU lists when it is paged out. */
  cpu_set_t cpu;
  CPU_ZERO(&cpu);
  CPU_SET(sched_getcpu(), &cpu);
  sched_setaffinity(0, sizeof cpu, &cpu);
  for (int from = 0, to; from < total; from = to) {
    to = stretch(from);
    if (shared->list[from].process == 0) run(from, to);
    else command(shared->list[from].process, from, to);
  }
  printf("%ld %ld %ld %ld\n", shared->nanoseconds, shared->calls, shared->pages, shared->swapped);
  return 0;
}

#define _GNU_SOURCE
#include "tree.h"
#include "look.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct process processes[SLOTS];
static struct slot *slots[SLOTS];

void die(const char *what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  tree_kill_all();
  exit(1);
}

static void post(int i) {
  struct slot *s = slots[i];
  __atomic_add_fetch(&s->cmd, 1, __ATOMIC_SEQ_CST);
  syscall(SYS_futex, &s->cmd, FUTEX_WAKE, 1, 0, 0, 0);
}

/* Now and then it looks for a dead worker. */
static long wait_done(int i) {
  struct slot *s = slots[i];
  struct timespec patience = {.tv_nsec = 100000000};
  for (unsigned done; (done = __atomic_load_n(&s->done, __ATOMIC_ACQUIRE)) != s->cmd;) {
    struct pollfd p = {processes[i].pidfd, POLLIN, 0};
    if (syscall(SYS_futex, &s->done, FUTEX_WAIT, done, &patience, 0, 0) && errno == ETIMEDOUT && processes[i].pidfd > 0 &&
        poll(&p, 1, 0) == 1)
      return DIED;
  }
  return s->ret;
}

long tree_call(int i, enum request request, long nr, const unsigned long args[6]) {
  struct slot *s = slots[i];
  s->request = request;
  s->nr = nr;
  memcpy(s->a, args, sizeof s->a);
  post(i);
  return wait_done(i);
}

long tree_syscall(int i, long nr, unsigned long a0, unsigned long a1, unsigned long a2) {
  unsigned long a[6] = {a0, a1, a2};
  return tree_call(i, DO_SYSCALL, nr, a);
}

void *tree_scratch(int i, unsigned long *address) {
  *address = SLOT_BASE + i * SLOT_SIZE + SCRATCH;
  return (char *)slots[i] + SCRATCH;
}

/* The file stays tied to the address space of the moment, so it is opened again after each exec. */
static void open_pagemap(int i) {
  char path[64];
  if (processes[i].pagemap > 0) close(processes[i].pagemap);
  sprintf(path, "/proc/%d/pagemap", processes[i].pid);
  processes[i].pagemap = open(path, O_RDONLY | O_CLOEXEC);
}

static void adopt(int i, int pid) {
  processes[i].pid = pid;
  processes[i].pidfd = syscall(SYS_pidfd_open, pid, 0);
  processes[i].vmas = look_attach(pid);
  open_pagemap(i);
}

static void bury(int i) {
  struct process *p = &processes[i];
  struct pollfd f = {p->pidfd, POLLIN, 0};
  poll(&f, 1, 5000);
  close(p->pidfd);
  close(p->pagemap);
  if (p->vmas >= 0) close(p->vmas);
  memset(p, 0, sizeof *p);
  memset(slots[i], 0, sizeof(struct slot));
}

/* Removes what exec set up (stack, vdso, vvar); the worker's image and the mailboxes stay. */
static void strip(int i) {
  char path[64], line[512];
  unsigned long lo, hi, doomed[16][2];
  int n = 0;
  sprintf(path, "/proc/%d/maps", processes[i].pid);
  FILE *f = fopen(path, "r");
  while (f && fgets(line, sizeof line, f)) {
    if (sscanf(line, "%lx-%lx", &lo, &hi) != 2) continue;
    int image = lo < 0x500000, vsyscall = lo >> 47 != 0;
    if (image || vsyscall || lo == SLOT_BASE || n == 16) continue;
    doomed[n][0] = lo;
    doomed[n++][1] = hi - lo;
  }
  if (f) fclose(f);
  for (int k = 0; k < n; k++)
    if (tree_syscall(i, SYS_munmap, doomed[k][0], doomed[k][1], 0)) die("cannot strip a worker");
}

/*
 * The image is executed from a memfd: exec names the task after the file, so every worker of this run has the same name, which no
 * other task has, also after it exec'd again.
 */
static int load_image(const char *path) {
  char name[16], buf[65536];
  sprintf(name, "w%d", getpid());
  int in = open(path, O_RDONLY), out = memfd_create(name, 0);
  if (in < 0 || out < 0) die(path);
  for (long n; (n = read(in, buf, sizeof buf)) > 0;)
    if (write(out, buf, n) != n) die(path);
  close(in);
  return out;
}

/*
 * Driver and workers take turns, so one processor is enough, and it must be one: a page faulted in on another still has a reference in
 * that processor's batch. Each turn is short, so they go before others where that is allowed.
 */
static void take_processor(void) {
  cpu_set_t allowed, one;
  CPU_ZERO(&one);
  if (sched_getaffinity(0, sizeof allowed, &allowed)) die("sched_getaffinity");
  int last = 0;
  for (int k = 0; k < CPU_SETSIZE; k++)
    if (CPU_ISSET(k, &allowed)) last = k;
  CPU_SET(last, &one);
  if (sched_setaffinity(0, sizeof one, &one)) die("sched_setaffinity");
  setpriority(PRIO_PROCESS, 0, -20);
}

static void become_worker(int mailboxes, int file, int worker) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  int fds[3] = {fcntl(mailboxes, F_DUPFD, 100), fcntl(file, F_DUPFD, 100), fcntl(worker, F_DUPFD, 100)};
  dup2(fds[0], MAILBOX_FD);
  dup2(fds[1], FILE_FD);
  dup2(fds[2], WORKER_FD);
  syscall(SYS_close_range, WORKER_FD + 1, ~0U, 0);
  char *argv[] = {"w", 0}, *envp[] = {0};
  syscall(SYS_execveat, WORKER_FD, "", argv, envp, AT_EMPTY_PATH);
  _exit(127);
}

static int file;

static void fill_file(long from, long to) {
  for (long k = from; k < to; k++) {
    unsigned long word = 1UL << 62 | k;
    if (pwrite(file, &word, sizeof word, k * 4096) != sizeof word) die("memfd");
  }
}

void tree_fill_ends(void) {
  fill_file(0, FRESH_PAGES);
  fill_file(FILE_PAGES - FRESH_TAIL, FILE_PAGES);
}

void tree_fill_file(void) {
  fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, FILE_PAGES * 4096L); /* large folios, too */
  fill_file(0, FILE_PAGES);
}

void tree_start(const char *worker_path) {
  take_processor();
  signal(SIGCHLD, SIG_IGN);
  prctl(PR_SET_CHILD_SUBREAPER, 1); /* orphans of dead workers come to us, not to init */
  int mailboxes = memfd_create("mailboxes", 0);
  file = memfd_create("file", 0);
  if (ftruncate(mailboxes, REGION_SIZE) || ftruncate(file, FILE_PAGES * 4096L)) die("memfd");
  tree_fill_file();
  char *base = mmap(0, REGION_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, mailboxes, 0);
  if (base == MAP_FAILED) die("mailboxes");
  for (int i = 0; i < SLOTS; i++) slots[i] = (void *)(base + i * SLOT_SIZE);
  slots[0]->cmd = 1; /* the first image answers this */
  int worker = load_image(worker_path);
  int pid = fork();
  if (!pid) become_worker(mailboxes, file, worker);
  adopt(0, pid);
  if (wait_done(0)) die("worker does not start");
  open_pagemap(0);
  strip(0);
}

long tree_fork(int i, int child, unsigned long clone_flags) {
  if (processes[child].pid) return -EBUSY;
  memset(slots[child], 0, sizeof(struct slot));
  slots[i]->child = child;
  unsigned long a[6] = {clone_flags};
  long r = tree_call(i, DO_FORK, 0, a);
  if (r <= 0) return r;
  adopt(child, r);
  tree_syscall(child, SYS_getpid, 0, 0, 0); /* one round trip: the child has left the kernel's fork path */
  return 0;
}

long tree_exec(int i) {
  unsigned long a[6] = {0};
  long r = tree_call(i, DO_EXEC, 0, a);
  open_pagemap(i);
  if (!r) strip(i);
  return r;
}

void tree_exit(int i) {
  slots[i]->request = DO_SYSCALL;
  slots[i]->nr = SYS_exit_group;
  slots[i]->a[0] = 0;
  post(i);
  bury(i);
}

void tree_kill_all(void) {
  for (int i = 0; i < SLOTS; i++)
    if (processes[i].pid) kill(processes[i].pid, SIGKILL);
}

#define _GNU_SOURCE
#include "daemons.h"
#include "tree.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Newer than some headers (linux/userfaultfd.h). */
#define FEATURE_MOVE (1 << 16)
#define USER_MODE_ONLY 1 /* all that anybody may ask for; nothing faults meanwhile */
#define IOCTL_MOVE 0xc028aa05UL
struct move {
  unsigned long dst, src, len, mode;
  long moved;
};

#define KSM "/sys/kernel/mm/ksm/"

static int lock = -1;

static long read_long(const char *path) {
  FILE *f = fopen(path, "r");
  long v = -1;
  if (!f || fscanf(f, "%ld", &v) != 1) die(path);
  fclose(f);
  return v;
}

static void write_long(const char *path, long v) {
  FILE *f = fopen(path, "w");
  if (!f || fprintf(f, "%ld", v) < 0 || fclose(f)) die(path);
}

/* ksmd makes no passes while it knows nobody, so it knows us: by a page that is never touched. */
static void join_ksm(void) {
  static void *page;
  if (page) return;
  page = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED || madvise(page, 4096, MADV_MERGEABLE)) die("MADV_MERGEABLE");
}

/* 0, which is ourselves: it can't be seen from in here. */
static int find_ksmd(void) {
  static int pid = -1;
  DIR *proc = pid < 0 ? opendir("/proc") : 0;
  if (!proc) return pid;
  pid = 0;
  for (struct dirent *entry; !pid && (entry = readdir(proc));) {
    char path[300], comm[32] = "";
    snprintf(path, sizeof path, "/proc/%s/comm", entry->d_name);
    FILE *f = fopen(path, "r");
    if (!f) continue;
    if (fgets(comm, sizeof comm, f) && !strcmp(comm, "ksmd\n")) pid = atoi(entry->d_name);
    fclose(f);
  }
  closedir(proc);
  return pid;
}

/*
 * Lets ksmd make complete passes, then stops it. A page merges at the earliest in the second pass (its checksum must be seen
 * unchanged) and a pass in progress counts, so ask for 3 or more.
 */
void ksm_scan(int scans) {
  int daemon = find_ksmd(), before = getpriority(PRIO_PROCESS, daemon);
  join_ksm();
  setpriority(PRIO_PROCESS, daemon, -20); /* it is nice, and would keep us waiting on a busy machine */
  long first = read_long(KSM "full_scans");
  write_long(KSM "run", 1);
  while (read_long(KSM "full_scans") < first + scans) usleep(200);
  write_long(KSM "run", 0); /* returns when ksmd has left its pass */
  setpriority(PRIO_PROCESS, daemon, before);
}

void ksm_unmerge(void) {
  write_long(KSM "run", 2);
  write_long(KSM "run", 0);
}

long swap_on(const char *device) {
  return swapon(device, SWAP_FLAG_PREFER | SWAP_FLAG_PRIO_MASK) ? -errno : 0; /* before all others */
}

long swap_off(const char *device) { return swapoff(device) ? -errno : 0; }

/*
 * One at a time on this machine. The lock is on the folder of the settings that we change, so that all find the same one; whoever dies
 * lets go.
 */
long lock_system(int wait) {
  if (lock < 0) lock = open("/sys/kernel/mm", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return lock < 0 || flock(lock, LOCK_EX | (wait ? 0 : LOCK_NB)) ? -errno : 0;
}

void unlock_system(void) {
  close(lock);
  lock = -1;
}

static long uffd_call(int slot, long fd, unsigned long request, const void *argument, size_t size) {
  unsigned long address;
  memcpy(tree_scratch(slot, &address), argument, size);
  return tree_syscall(slot, SYS_ioctl, fd, request, address);
}

long userfault_move(int slot, unsigned long to, unsigned long from, unsigned long bytes, unsigned long start, unsigned long end) {
  long fd = tree_syscall(slot, SYS_userfaultfd, O_CLOEXEC | USER_MODE_ONLY, 0, 0);
  if (fd < 0) return fd;
  struct uffdio_api api = {.api = UFFD_API, .features = FEATURE_MOVE};
  struct uffdio_register reg = {.range = {start, end - start}, .mode = UFFDIO_REGISTER_MODE_MISSING};
  struct move move = {.dst = to, .src = from, .len = bytes};
  long r = uffd_call(slot, fd, UFFDIO_API, &api, sizeof api);
  if (!r) {
    if (start < end) uffd_call(slot, fd, UFFDIO_REGISTER, &reg, sizeof reg);
    r = uffd_call(slot, fd, IOCTL_MOVE, &move, sizeof move);
    if (r == -EAGAIN) { /* some pages moved: how many is in the struct, as on success */
      unsigned long address;
      struct move *answer = tree_scratch(slot, &address);
      if (answer->moved > 0) r = 0;
      else if (answer->moved < 0) r = answer->moved;
    }
  }
  tree_syscall(slot, SYS_close, fd, 0, 0);
  return r;
}

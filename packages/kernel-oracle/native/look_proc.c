/*
 * The same look with what /proc shows to anybody: ranges and flags of VMAs, which pages are there, and which of them are mapped once.
 * Nothing is counted.
 */
#define _GNU_SOURCE
#include "look.h"
#include "records.h"
#include "tree.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define PM_PRESENT (1UL << 63)
#define PM_SWAP (1UL << 62)
#define PM_FILE (1UL << 61)
#define PM_GUARD (1UL << 58)
#define PM_ONCE (1UL << 56)
#define MAX_PAGES (1 << 20) /* of one VMA */

/* Letters of VmFlags (show_smap_vma_flags) and what they stand for. */
static const struct {
  char letters[3];
  uint32_t flag;
} flags[] = {
    {"rd", 0x1},     {"wr", 0x2},     {"ex", 0x4},      {"sh", 0x8},      {"gd", 0x100},     {"gu", 0x800},
    {"lo", 0x2000},  {"io", 0x4000},  {"sr", 0x8000},   {"rr", 0x10000},  {"dc", 0x20000},   {"de", 0x40000},
    {"ac", 0x100000}, {"nr", 0x200000}, {"wf", 0x2000000}, {"dd", 0x4000000}, {"hg", 0x20000000}, {"nh", 0x40000000},
    {"mg", 0x80000000},
};

struct vma {
  unsigned long start, end;
  int file, heap;
};

/* Settings of large folios are another's: do without, in every process to come. */
void look_init(const char *unused) {
  (void)unused;
  if (prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0)) die("PR_SET_THP_DISABLE");
}

int look_attach(int pid) {
  (void)pid;
  return -1;
}

void counts_init(int pid) { (void)pid; }

void counts_read(long live[3]) { memset(live, 0, 3 * sizeof *live); }

static FILE *open_file(int slot, const char *name) {
  char path[64];
  sprintf(path, "/proc/%d/%s", processes[slot].pid, name);
  FILE *f = fopen(path, "r");
  if (!f) die(path);
  return f;
}

/* Where the heap begins: field 47. The name in field 2 is ours and has no spaces. */
static unsigned long heap_of(int slot) {
  FILE *f = open_file(slot, "stat");
  unsigned long at = 0;
  int fields = 0;
  for (; fields < 46 && fscanf(f, "%*s") != EOF; fields++) {}
  if (fscanf(f, "%lu", &at) != 1) die("stat");
  fclose(f);
  return at;
}

static uint32_t flags_of(char *line) {
  uint32_t seen = 0;
  for (char *word = strtok(line, " \n"); word; word = strtok(0, " \n"))
    for (unsigned i = 0; i < sizeof flags / sizeof *flags; i++)
      if (!strcmp(word, flags[i].letters)) seen |= flags[i].flag;
  return seen & VISIBLE_FLAGS;
}

static void write_pages(int slot, const struct vma *v, uint32_t first) {
  static unsigned long entries[MAX_PAGES];
  long bytes = (v->end - v->start) >> 12 << 3;
  if (bytes > (long)sizeof entries) die("a look at too many pages");
  if (pread(processes[slot].pagemap, entries, bytes, v->start >> 12 << 3) != bytes) die("pagemap");
  for (long k = 0; k < bytes / 8; k++) {
    unsigned long entry = entries[k];
    if (entry & PM_PRESENT) {
      if (!(entry & PM_FILE)) EMIT(ANON, first + k, 0, 0, (entry & PM_ONCE) != 0, 0, 0, 0, 0, 0);
    } else if (entry & PM_GUARD) EMIT(GUARD, first + k);
    else if (entry & PM_SWAP) EMIT(SWAP, first + k, 0);
  }
}

static void write_vma(int slot, const struct vma *v, unsigned long heap, uint32_t flags) {
  unsigned long base = v->heap ? (heap >> 12) - HEAP_PAGE : ARENA_LO >> 12;
  uint32_t first = (v->start >> 12) - base, last = (v->end >> 12) - base;
  EMIT(VMA, first, last, flags, 0, 0, v->file);
  write_pages(slot, v, first);
}

/* Of each VMA smaps has a line as in maps, then many others, and VmFlags last. */
static void write_process(int slot) {
  FILE *f = open_file(slot, "smaps");
  char line[512];
  unsigned long heap = heap_of(slot), inode;
  struct vma v = {0};
  while (fgets(line, sizeof line, f)) {
    unsigned long start, end;
    if (sscanf(line, "%lx-%lx %*s %*s %*s %lu", &start, &end, &inode) == 3)
      v = (struct vma){start, end, inode != 0, strstr(line, "[heap]") != 0};
    else if (!strncmp(line, "VmFlags:", 8) && (v.heap || (v.start >= ARENA_LO && v.end <= ARENA_HI)))
      write_vma(slot, &v, heap, flags_of(line + 8));
  }
  fclose(f);
}

void look(const int slots[], int n, int print) {
  records_begin(print);
  for (int k = 0; k < n; k++) {
    EMIT(PROCESS, k);
    write_process(slots[k]);
  }
  records_end();
}

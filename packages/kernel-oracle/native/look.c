/*
 * One look: first everything is gathered (VMAs from the iterator, entries from pagemap, page frames in batches), then written down
 * as records.
 */
#define _GNU_SOURCE
#include "look.h"
#include "records.h"
#include "rmap.h"
#include "tree.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int vmas_fd, pages_fd;
static struct page_batch *batch;
static struct counts *counts;

static void *map_of(struct bpf_object *o, const char *name, size_t size) {
  void *p = mmap(0, (size + 4095) & ~4095UL, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_object__find_map_fd_by_name(o, name), 0);
  if (p == MAP_FAILED) die(name);
  return p;
}

void look_init(const char *path) {
  struct bpf_object *o = bpf_object__open_file(path, 0);
  if (!o || bpf_object__load(o)) die("BPF programs");
  vmas_fd = bpf_program__fd(bpf_object__find_program_by_name(o, "vmas"));
  pages_fd = bpf_program__fd(bpf_object__find_program_by_name(o, "pages"));
  batch = map_of(o, "batch", sizeof *batch);
  counts = map_of(o, "counts", sizeof *counts);
  const char *hooks[] = {"on_alloc", "on_free"};
  for (int i = 0; i < 2; i++)
    if (!bpf_program__attach(bpf_object__find_program_by_name(o, hooks[i]))) die(hooks[i]);
}

int look_attach(int pid) {
  union bpf_iter_link_info info = {.task = {.pid = pid}};
  LIBBPF_OPTS(bpf_link_create_opts, o, .iter_info = &info, .iter_info_len = sizeof info);
  int link = bpf_link_create(vmas_fd, 0, BPF_TRACE_ITER, &o);
  if (link < 0) die("VMA iterator");
  return link;
}

/* ---- object counts ---- */

/* The functions that allocate anon_vma_chain, as address ranges up to the next symbol. */
static void find_avc_sites(void) {
  const char *users[] = {"__anon_vma_prepare", "anon_vma_clone", "anon_vma_fork", "anon_vma_chain_alloc"};
  FILE *f = fopen("/proc/kallsyms", "r");
  char line[512], sym[256], type;
  unsigned long at;
  int n = 0, open_range = 0;
  while (f && fgets(line, sizeof line, f) && n < 8) {
    if (sscanf(line, "%lx %c %255s", &at, &type, sym) != 3) continue;
    if (open_range && at > counts->avc_site[n][0]) {
      counts->avc_site[n++][1] = at;
      open_range = 0;
    }
    for (unsigned i = 0; i < sizeof users / sizeof *users; i++)
      if (n < 8 && !strcmp(sym, users[i])) {
        counts->avc_site[n][0] = at;
        open_range = 1;
      }
  }
  if (f) fclose(f);
  if (!n) die("/proc/kallsyms shows no addresses");
}

void counts_init(int pid) {
  find_avc_sites();
  char path[64], comm[16] = "";
  sprintf(path, "/proc/%d/comm", pid);
  FILE *f = fopen(path, "r");
  if (!f || !fgets(comm, sizeof comm, f)) die(path);
  fclose(f);
  comm[strcspn(comm, "\n")] = 0;
  memcpy(counts->comm, comm, sizeof comm);
}

void counts_read(long live[3]) {
  for (int k = 0; k < OBJ_KINDS; k++) live[k] = __atomic_load_n(&counts->live[k], __ATOMIC_RELAXED);
}

/* ---- naming: kernel addresses, page frames and swap entries become 1, 2, 3... in order of first appearance ---- */

static struct {
  unsigned long key;
  unsigned generation, name;
} names[1 << 16];
static unsigned generation, next_name;

static uint32_t name_of(unsigned long v) {
  if (!v) return 0;
  for (unsigned h = (v * 0x9E3779B97F4A7C15UL) >> 48;; h = (h + 1) & 0xffff) {
    if (names[h].generation != generation) { /* a new generation empties the table without clearing it */
      names[h].key = v;
      names[h].generation = generation;
      return names[h].name = ++next_name;
    }
    if (names[h].key == v) return names[h].name;
  }
}

/* ---- gathering ---- */

#define PM_PRESENT (1UL << 63)
#define PM_SWAP (1UL << 62)
#define PM_GUARD (1UL << 58)
#define PM_FRAME ((1UL << 55) - 1)
#define MAX_ENTRIES (1 << 20)
#define MAX_GAP 64 /* pages between VMAs that are read along */
#define MAX_RECORDS (1 << 16)

static struct record records[MAX_RECORDS];
static int record_end[SLOTS]; /* by place in the look: where its records end */
static unsigned long entries[MAX_ENTRIES];
static unsigned entry_of[MAX_RECORDS]; /* by record: where the entries of its VMA begin */
static struct page_info *infos;
static unsigned n_entries, n_infos;

static void gather_vmas(int slot, int place, int from) {
  int fd = bpf_iter_create(processes[slot].vmas); /* one walk per open; it can't be rewound */
  if (fd < 0) die("VMA walk");
  long n = from * sizeof *records, r;
  while (n < (long)sizeof records && (r = read(fd, (char *)records + n, sizeof records - n)) > 0) n += r;
  close(fd);
  record_end[place] = n / sizeof *records;
}

static void gather_entries(int slot, int from, int to) {
  unsigned long start = 0, end = 0; /* of the run of VMAs to be read */
  unsigned first = n_entries;
  for (int i = from; i <= to; i++) {
    if (i < to && records[i].type != RECORD_VMA) continue;
    unsigned long at = i < to ? records[i].vma.start >> 12 : 0;
    if (i == to || end == 0 || at > end + MAX_GAP) {
      long bytes = (end - start) * 8;
      if (n_entries + (end - start) > MAX_ENTRIES) die("a look at too many pages");
      if (bytes > 0 && pread(processes[slot].pagemap, entries + first, bytes, start * 8) != bytes) die("pagemap");
      n_entries += end - start;
      if (i == to) break;
      start = at;
      first = n_entries;
    }
    entry_of[i] = first + (at - start);
    end = records[i].vma.end >> 12;
  }
}

/* Replaces the frame of every present entry by its number in infos. */
static void gather_pages(void) {
  static unsigned where[PAGE_BATCH];
  unsigned m = 0;
  n_infos = 0;
  for (unsigned k = 0; k <= n_entries; k++) {
    if (k < n_entries && entries[k] & PM_PRESENT) {
      where[m] = k;
      batch->pfn[m++] = entries[k] & PM_FRAME;
    }
    if (m == 0 || (m < PAGE_BATCH && k < n_entries)) continue;
    batch->n = m;
    LIBBPF_OPTS(bpf_test_run_opts, o);
    if (bpf_prog_test_run_opts(pages_fd, &o)) die("page batch");
    memcpy(infos + n_infos, batch->out, m * sizeof *infos);
    for (unsigned i = 0; i < m; i++) {
      infos[n_infos + i].unused = batch->pfn[i] - infos[n_infos + i].head_pfn;
      entries[where[i]] = PM_PRESENT | (n_infos + i);
    }
    n_infos += m;
    m = 0;
  }
}

/* ---- writing down ---- */

static void write_page(uint32_t vpn, const struct page_info *p, unsigned long index_base) {
  if (!p->mapping) { /* the zero page, small or huge */
    EMIT(ZERO, vpn);
  } else if ((p->mapping & 3) == 3) {
    EMIT(KSM_PAGE, vpn, name_of(p->head_pfn), p->mapcount);
  } else if ((p->mapping & 3) == 1) {
    uint32_t folio = name_of(p->head_pfn), anon_vma = name_of(p->mapping & ~3UL);
    EMIT(ANON, vpn, folio, p->unused, p->mapcount + p->entire_mapcount, p->exclusive | (p->entire_mapcount && p->head_exclusive),
         anon_vma, p->index + p->unused - index_base, p->order, p->entire_mapcount);
  } /* pages of files: a fault maps those around it, too */
}

static void write_process(int from, int to) {
  for (int i = from; i < to; i++) {
    const struct record *r = &records[i];
    unsigned long base = r->vma.start_brk ? (r->vma.start_brk >> 12) - HEAP_PAGE : ARENA_LO >> 12;
    uint32_t start = (r->vma.start >> 12) - base, end = (r->vma.end >> 12) - base;
    unsigned long index_base = r->vma.ops ? 0 : base;
    EMIT(VMA, start, end, r->vma.flags & VISIBLE_FLAGS, r->vma.pgoff - index_base, name_of(r->vma.anon_vma), r->vma.ops != 0);
    const unsigned long *entry = entries + entry_of[i];
    for (; i + 1 < to && records[i + 1].type == RECORD_LINK; i++) {
      const struct record *l = &records[i + 1];
      uint32_t anon_vma = name_of(l->link.anon_vma), root = name_of(l->link.root), parent = name_of(l->link.parent);
      EMIT(LINK, anon_vma, root, parent, l->link.refcount, l->link.num_children, l->link.num_active_vmas);
    }
    for (uint32_t k = 0; k < end - start; k++) {
      if (entry[k] & PM_PRESENT) write_page(start + k, &infos[entry[k] & PM_FRAME], index_base);
      else if (entry[k] & PM_GUARD) EMIT(GUARD, start + k);
      else if (entry[k] & PM_SWAP) EMIT(SWAP, start + k, name_of(1UL << 62 | (entry[k] & PM_FRAME)));
    }
  }
}

void look(const int slots[], int n, int print) {
  if (!infos) infos = malloc(MAX_ENTRIES * sizeof *infos);
  generation++;
  next_name = n_entries = 0;
  records_begin(print);
  for (int k = 0, from = 0; k < n; from = record_end[k++]) {
    gather_vmas(slots[k], k, from);
    gather_entries(slots[k], from, record_end[k]);
  }
  gather_pages();
  for (int k = 0, from = 0; k < n; from = record_end[k++]) {
    EMIT(PROCESS, k);
    write_process(from, record_end[k]);
  }
  records_end();
}

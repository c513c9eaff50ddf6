/*
 * The kernel objects that /proc does not show: for one process every VMA of the arena and of the heap with its anon_vma and its
 * chain; for a list of page frames struct page and struct folio; how many objects there are.
 *
 * The structs below name only the fields that are read; where they really are is worked out when the program is loaded (CO-RE).
 */
#include <linux/bpf.h>
#include "rmap.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#define MAX_CHAIN 4096
#define kernel_struct struct __attribute__((preserve_access_index))

typedef struct {
  int counter;
} atomic_t;
kernel_struct list_head {
  struct list_head *next;
};
kernel_struct mm_struct {
  unsigned long start_brk, brk;
};
kernel_struct anon_vma {
  struct anon_vma *root, *parent;
  atomic_t refcount;
  unsigned long num_children, num_active_vmas;
};
kernel_struct anon_vma_chain {
  struct anon_vma *anon_vma;
  struct list_head same_vma;
};
kernel_struct vm_area_struct {
  unsigned long vm_start, vm_end, vm_flags, vm_pgoff;
  struct mm_struct *vm_mm;
  struct anon_vma *anon_vma;
  struct list_head anon_vma_chain;
  void *vm_ops;
};
kernel_struct page {
  unsigned long compound_head;
  atomic_t _mapcount;
};
kernel_struct folio {
  void *mapping;
  unsigned long index, _flags_1;
  atomic_t _entire_mapcount;
};
kernel_struct kmem_cache {
  unsigned int object_size;
  const char *name;
};
kernel_struct seq_file;
kernel_struct bpf_iter_meta {
  struct seq_file *seq;
};
kernel_struct task_struct;
kernel_struct bpf_iter__task_vma {
  struct bpf_iter_meta *meta;
  struct task_struct *task;
  struct vm_area_struct *vma;
};
enum pageflags { PG_head = 0, PG_anon_exclusive = 0 };

struct walk {
  unsigned long head, cur;
  struct seq_file *seq;
};

static long emit_link(unsigned i, struct walk *w) {
  if (w->cur == w->head || !w->cur) return 1;
  struct anon_vma_chain *avc = (void *)(w->cur - bpf_core_field_offset(struct anon_vma_chain, same_vma));
  struct anon_vma *a = BPF_CORE_READ(avc, anon_vma);
  struct record r = {
      .type = RECORD_LINK,
      .link = {(unsigned long)a, (unsigned long)BPF_CORE_READ(a, root), (unsigned long)BPF_CORE_READ(a, parent),
               BPF_CORE_READ(a, refcount.counter), BPF_CORE_READ(a, num_children), BPF_CORE_READ(a, num_active_vmas)},
  };
  bpf_seq_write(w->seq, &r, sizeof r);
  w->cur = (unsigned long)BPF_CORE_READ(avc, same_vma.next);
  return 0;
}

SEC("iter/task_vma") int vmas(struct bpf_iter__task_vma *ctx) {
  struct vm_area_struct *v = ctx->vma;
  if (!ctx->task || !v) return 0;
  unsigned long start_brk = v->vm_mm->start_brk, brk = v->vm_mm->brk;
  int heap = v->vm_start >= start_brk && v->vm_end <= ((brk + 4095) & ~4095UL);
  if (!heap && (v->vm_start < ARENA_LO || v->vm_end > ARENA_HI)) return 0;
  struct record r = {
      .type = RECORD_VMA,
      .vma = {v->vm_start, v->vm_end, v->vm_flags, v->vm_pgoff, (unsigned long)v->anon_vma, (unsigned long)v->vm_ops,
              heap ? start_brk : 0},
  };
  bpf_seq_write(ctx->meta->seq, &r, sizeof r);
  struct walk w = {.head = (unsigned long)v + bpf_core_field_offset(struct vm_area_struct, anon_vma_chain), .seq = ctx->meta->seq};
  w.cur = (unsigned long)v->anon_vma_chain.next;
  bpf_loop(MAX_CHAIN, emit_link, &w, 0);
  return 0;
}

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __uint(map_flags, BPF_F_MMAPABLE); /* the driver maps it: a batch costs one bpf() call and no copies */
  __type(key, unsigned);
  __type(value, struct page_batch);
} batch SEC(".maps");

/* With KASLR of the memory regions the array of struct page moves; its base is a kernel variable. */
extern const void vmemmap_base __ksym __weak;

struct lookup {
  struct page_batch *batch;
  unsigned long base, size;
};

static long look_up(unsigned i, struct lookup *l) {
  struct page_batch *b = l->batch;
  if (i >= PAGE_BATCH || i >= b->n) return 1;
  unsigned long at = l->base + b->pfn[i] * l->size, head = at, flags = 0, head_flags = 0;
  struct page *page = (void *)at;
  unsigned long compound = BPF_CORE_READ(page, compound_head);
  if (compound & 1) head = compound - 1; /* a tail page points to its head */
  struct folio *folio = (void *)head;
  bpf_probe_read_kernel(&flags, sizeof flags, (void *)at); /* the flags are the first word of both */
  bpf_probe_read_kernel(&head_flags, sizeof head_flags, (void *)head);
  unsigned exclusive = bpf_core_enum_value(enum pageflags, PG_anon_exclusive);
  int large = head_flags >> bpf_core_enum_value(enum pageflags, PG_head) & 1;
  struct page_info *o = &b->out[i];
  o->exclusive = flags >> exclusive & 1;
  o->head_exclusive = head_flags >> exclusive & 1;
  o->head_pfn = (head - l->base) / l->size;
  o->mapping = (unsigned long)BPF_CORE_READ(folio, mapping);
  o->index = BPF_CORE_READ(folio, index);
  o->mapcount = BPF_CORE_READ(page, _mapcount.counter) + 1;
  o->order = large ? BPF_CORE_READ(folio, _flags_1) & 0xff : 0;
  o->entire_mapcount = large ? BPF_CORE_READ(folio, _entire_mapcount.counter) + 1 : 0;
  return 0;
}

SEC("syscall") int pages(void *ctx) {
  unsigned key = 0;
  struct lookup l = {.batch = bpf_map_lookup_elem(&batch, &key), .base = 0xffffea0000000000UL};
  if (!l.batch) return 1;
  l.size = bpf_core_type_size(struct page);
  if (&vmemmap_base) bpf_probe_read_kernel(&l.base, sizeof l.base, &vmemmap_base);
  bpf_loop(PAGE_BATCH, look_up, &l, 0);
  return 0;
}

/*
 * Exact object counts: what tasks of our name allocate, until anybody frees it (ksmd drops pins of anon_vmas). A task's name is
 * inherited by fork and unique to this run.
 */
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __uint(map_flags, BPF_F_MMAPABLE);
  __type(key, unsigned);
  __type(value, struct counts);
} counts SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1 << 17);
  __type(key, unsigned long);
  __type(value, unsigned);
} objects SEC(".maps");

union name16 {
  char text[16];
  unsigned long word[2];
};

static __always_inline int same(const union name16 *a, const union name16 *b) {
  return a->word[0] == b->word[0] && a->word[1] == b->word[1];
}

static int kind_of(struct counts *c, unsigned long call_site, const struct kmem_cache *s) {
  unsigned size = s->object_size;
  /* SLUB may merge anon_vma_chain with other caches of its size, so that only who asks tells. */
  if (size == bpf_core_type_size(struct anon_vma_chain))
    for (int i = 0; i < 8; i++)
      if (call_site >= c->avc_site[i][0] && call_site < c->avc_site[i][1]) return OBJ_AVC;
  if (size != bpf_core_type_size(struct anon_vma) && size != bpf_core_type_size(struct vm_area_struct)) return -1;
  union name16 name = {}, anon_vma = {"anon_vma"}, vma = {"vm_area_struct"};
  bpf_probe_read_kernel_str(name.text, sizeof name.text, s->name);
  return same(&name, &anon_vma) ? OBJ_ANON_VMA : same(&name, &vma) ? OBJ_VMA : -1;
}

SEC("tp_btf/kmem_cache_alloc")
int BPF_PROG(on_alloc, unsigned long call_site, const void *object, struct kmem_cache *s) {
  unsigned key = 0;
  struct counts *c = bpf_map_lookup_elem(&counts, &key);
  union name16 comm = {};
  bpf_get_current_comm(comm.text, sizeof comm.text);
  if (!c || !object || !same(&comm, (union name16 *)c->comm)) return 0;
  int kind = kind_of(c, call_site, s);
  if (kind < 0 || kind >= OBJ_KINDS) return 0;
  unsigned long at = (unsigned long)object;
  unsigned value = kind;
  if (!bpf_map_update_elem(&objects, &at, &value, BPF_ANY)) __sync_fetch_and_add(&c->live[kind], 1);
  return 0;
}

SEC("tp_btf/kmem_cache_free")
int BPF_PROG(on_free, unsigned long call_site, const void *object, const struct kmem_cache *s) {
  unsigned key = 0;
  unsigned long at = (unsigned long)object;
  struct counts *c = bpf_map_lookup_elem(&counts, &key);
  unsigned *value = bpf_map_lookup_elem(&objects, &at);
  if (!c || !value) return 0;
  unsigned kind = *value;
  bpf_map_delete_elem(&objects, &at);
  if (kind < OBJ_KINDS) __sync_fetch_and_add(&c->live[kind], -1);
  return 0;
}

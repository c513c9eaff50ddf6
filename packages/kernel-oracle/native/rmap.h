/* Shared by the BPF programs and the driver. */
#ifndef RMAP_H
#define RMAP_H
#include "mailbox.h"

enum { RECORD_VMA = 1, RECORD_LINK };

struct record {
  unsigned long type;
  union {
    struct {
      unsigned long start, end, flags, pgoff, anon_vma, ops, start_brk;
    } vma;
    struct { /* follows its VMA, the newest link of the chain first */
      unsigned long anon_vma, root, parent, refcount, num_children, num_active_vmas, unused;
    } link;
  };
};

#define PAGE_BATCH 512

struct page_info {
  unsigned long head_pfn, mapping, index; /* mapping: low bits 01 anonymous, 11 KSM, 00 file; 0 zero page */
  int mapcount;        /* PTE mappings of this page */
  int entire_mapcount; /* PMD mappings of its folio */
  int exclusive, head_exclusive; /* PG_anon_exclusive of the page and of the folio's first page */
  int order, unused;
};

struct page_batch {
  unsigned long n;
  unsigned long pfn[PAGE_BATCH];
  struct page_info out[PAGE_BATCH];
};

enum object { OBJ_VMA, OBJ_ANON_VMA, OBJ_AVC, OBJ_KINDS };

struct counts {
  char comm[16] __attribute__((aligned(8))); /* count what tasks of this name allocate */
  unsigned long avc_site[8][2];              /* code ranges that allocate anon_vma_chain */
  long live[OBJ_KINDS];
};
#endif

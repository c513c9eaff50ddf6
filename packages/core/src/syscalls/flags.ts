// Protection, mapping, advice and remapping flags, with Linux's values on x86-64.

/** No access. */
export const PROT_NONE = 0;
/** Loads. */
export const PROT_READ = 1;
/** Stores. */
export const PROT_WRITE = 2;
/** Execution. */
export const PROT_EXEC = 4;
/** Said by programs with semaphores; no meaning. */
export const PROT_SEM = 8;
/** Change down to the start of a stack. */
export const PROT_GROWSDOWN = 0x01000000;

/** Writes are seen by all who map it. */
export const MAP_SHARED = 0x01;
/** Writes are copied. */
export const MAP_PRIVATE = 0x02;
/** Writes are copied, and all may be dropped when memory is short. */
export const MAP_DROPPABLE = 0x08;
/** What of the flags is one of the three. */
export const MAP_TYPE = 0x0f;
/** Exactly there, whatever it covers. */
export const MAP_FIXED = 0x10;
/** Not backed by a file. */
export const MAP_ANONYMOUS = 0x20;
/** Grows down when touched below, as a stack does. */
export const MAP_GROWSDOWN = 0x100;
/** Locked in memory (mlock). */
export const MAP_LOCKED = 0x2000;
/** Not counted against the commit limit. */
export const MAP_NORESERVE = 0x4000;
/** Faulted in at once. */
export const MAP_POPULATE = 0x8000;
/** With MAP_POPULATE: not faulted in after all. */
export const MAP_NONBLOCK = 0x10000;
/** Holds the stack of a thread: large folios are unwanted. */
export const MAP_STACK = 0x20000;
/** Exactly there, refused when occupied. */
export const MAP_FIXED_NOREPLACE = 0x100000;

/** May move when it can not grow in place. */
export const MREMAP_MAYMOVE = 1;
/** Move to the given address. */
export const MREMAP_FIXED = 2;
/** Keep the emptied source mapped. */
export const MREMAP_DONTUNMAP = 4;

/** No special use. */
export const MADV_NORMAL = 0;
/** Random use. */
export const MADV_RANDOM = 1;
/** Sequential use. */
export const MADV_SEQUENTIAL = 2;
/** Wanted soon; does nothing here. */
export const MADV_WILLNEED = 3;
/** Drop the pages. */
export const MADV_DONTNEED = 4;
/** Drop the pages when memory is short. */
export const MADV_FREE = 8;
/** Not in children. */
export const MADV_DONTFORK = 10;
/** In children again. */
export const MADV_DOFORK = 11;
/** KSM may merge equal pages. */
export const MADV_MERGEABLE = 12;
/** It may not any more. */
export const MADV_UNMERGEABLE = 13;
/** Large folios wanted. */
export const MADV_HUGEPAGE = 14;
/** Large folios unwanted. */
export const MADV_NOHUGEPAGE = 15;
/** Not in core dumps. */
export const MADV_DONTDUMP = 16;
/** In core dumps again. */
export const MADV_DODUMP = 17;
/** Empty in children. */
export const MADV_WIPEONFORK = 18;
/** Copied to children again. */
export const MADV_KEEPONFORK = 19;
/** Not used soon; only checked here. */
export const MADV_COLD = 20;
/** Fault in by reading. */
export const MADV_POPULATE_READ = 22;
/** Fault in by writing. */
export const MADV_POPULATE_WRITE = 23;
/** Evicts what only this address space maps. */
export const MADV_PAGEOUT = 21;
/** Drop the pages, locked or not. */
export const MADV_DONTNEED_LOCKED = 24;
/** Makes folios of PMD size of what is there. */
export const MADV_COLLAPSE = 25;
/** Put guard pages there. */
export const MADV_GUARD_INSTALL = 102;
/** Take guard pages away. */
export const MADV_GUARD_REMOVE = 103;

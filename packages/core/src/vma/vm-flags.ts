// The `vm_flags` that matter to layout, merging and reverse mapping, with the kernel's bit values. Int32: compare with `===`.

/** Loads are allowed. */
export const VM_READ = 0x1;
/** Stores are allowed. */
export const VM_WRITE = 0x2;
/** Execution is allowed. */
export const VM_EXEC = 0x4;
/** Shared memory. */
export const VM_SHARED = 0x8;
/** Grows down when touched below. */
export const VM_GROWSDOWN = 0x100;
/** A userfaultfd gets the faults of pages that are missing. */
export const VM_UFFD_MISSING = 0x200;
/** Guard markers may be inside; sticky: ignored when VMAs are compared, or-ed when they merge. */
export const VM_MAYBE_GUARD = 0x800;
/** Its pages stay in memory. */
export const VM_LOCKED = 0x2000;
/** Memory of a device. */
export const VM_IO = 0x4000;
/** Used sequentially. */
export const VM_SEQ_READ = 0x8000;
/** Used randomly. */
export const VM_RAND_READ = 0x10000;
/** Not copied by fork. */
export const VM_DONTCOPY = 0x20000;
/** May not grow. */
export const VM_DONTEXPAND = 0x40000;
/** Counts against the commit limit (MAP_NORESERVE: VM_NORESERVE instead). */
export const VM_ACCOUNT = 0x100000;
/** Not counted against the commit limit. */
export const VM_NORESERVE = 0x200000;
/** Its pages may be dropped at any time (MAP_DROPPABLE). Bit 40 in Linux, as 32 bits are not enough; here that of VM_ARCH_1, which nothing has. */
export const VM_DROPPABLE = 0x1000000;
/** Empty in children. */
export const VM_WIPEONFORK = 0x2000000;
/** Not in core dumps. */
export const VM_DONTDUMP = 0x4000000;
/** Written since it was last cleared; the model does not track it, so it is never set. */
const VM_SOFTDIRTY = 0x8000000;
/** Large folios wanted. */
export const VM_HUGEPAGE = 0x20000000;
/** Large folios unwanted. */
export const VM_NOHUGEPAGE = 0x40000000;
/** KSM may merge its pages. */
export const VM_MERGEABLE = 0x80000000 | 0;

/** What mprotect may change. */
export const VM_ACCESS_FLAGS = VM_READ | VM_WRITE | VM_EXEC;
/** Never merged. */
export const VM_SPECIAL = VM_IO | VM_DONTEXPAND;
/** Differences that do not keep VMAs apart. */
export const VM_STICKY = VM_MAYBE_GUARD | VM_SOFTDIRTY;
/** Marks the stack that exec builds, until it is shifted to its place. */
export const VM_STACK_INCOMPLETE_SETUP = VM_SEQ_READ | VM_RAND_READ;

/** Whether `flags` are those of a stack under construction (vma_is_temporary_stack). */
export const isTemporaryStack = (flags: number): boolean =>
  (flags & VM_GROWSDOWN) !== 0 && (flags & VM_STACK_INCOMPLETE_SETUP) === VM_STACK_INCOMPLETE_SETUP;

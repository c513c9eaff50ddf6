import type { FileMapping } from '../folio/page-cache.js';
import type { Mm } from '../mm/mm.js';
import type { Vma } from '../rmap/contract.js';
import { COUNTERS, LOCK_WORDS } from '../sync/counters.js';
import { type Address, PAGE_SIZE, type Pgoff, pageOf } from '../units.js';
import { VM_SHARED } from './vm-flags.js';

/** One virtual memory area (vm_area_struct). Its memory is a slab object: it is used again after it was freed. */
export class VmArea implements Vma {
  /** Where walks run concurrently, each remembers by itself what it visited. */
  static readonly [COUNTERS] = ['walkStamp'];
  static readonly [LOCK_WORDS] = ['readers', 'writeLocked'];
  id = 0;
  mm: Mm = null as unknown as Mm;
  start = 0 as Address;
  end = 0 as Address;
  /** Offset of the first page: of a file in pages; else the page number at which it was made or last moved unfaulted. */
  pgoff = 0 as Pgoff;
  anonPgoff = 0 as Pgoff;
  flags = 0;
  file: FileMapping | null = null;
  faulted = false;
  attached = false;
  /** One until it is freed, and one for each reference of a strategy's, which may outlive that (vm_rcuref). */
  refs = 0;
  /** Unmapped, but kept by references. */
  zombie = false;
  /** The last pass of a walk that visited it. */
  walkStamp = 0;
  /** The per-VMA lock: faults (and a strategy's `tryReadLock`) read, whoever changes the VMA writes until mmap_lock is released. */
  readers = 0;
  writeLocked = false;

  get delta(): number {
    return pageOf(this.start) - this.anonPgoff;
  }

  /** Anonymous in the kernel's sense (`vm_ops == NULL`): shared anonymous memory is not, it is a file of its own. */
  get anonymous(): boolean {
    return this.file === null;
  }

  get shared(): boolean {
    return (this.flags & VM_SHARED) !== 0;
  }

  get pages(): number {
    return (this.end - this.start) / PAGE_SIZE;
  }

  /** The offset that keys the anonymous page at `address` (linear_page_index over the anonymous offset). */
  anonIndex(address: Address): Pgoff {
    return (this.anonPgoff + (address - this.start) / PAGE_SIZE) as Pgoff;
  }

  toString(): string {
    return `vma ${this.id} [0x${this.start.toString(16)}, 0x${this.end.toString(16)})`;
  }
}

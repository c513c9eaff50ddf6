import type { ThpOptions } from './fault/thp.js';
import type { RmapStrategy } from './rmap/contract.js';
import type { Layout } from './slab/layout.js';

/** How a {@link Kernel} is made. */
export interface KernelOptions {
  /** The reverse-map design at work. */
  readonly strategy: RmapStrategy;
  /** Operations yield a step before whatever others could see; they are then run through `.op` by a scheduler. Default false. */
  readonly stepping?: boolean;
  /** Every access to a freed slab object throws UseAfterFree; slower. Default false. */
  readonly checked?: boolean;
  /** Take the two common faults without a generator. Default true; off in stepping mode. */
  readonly fastFault?: boolean;
  /** Number of the allocation that fails, from 1. Default: none. */
  readonly failAllocation?: number;
  /** What keys private file pages: the file offset (6.18), or an offset of their own (7.3). Default 'file'. */
  readonly anonOffset?: 'file' | 'own';
  /** VMAs an address space may have (sysctl vm.max_map_count). Default 65530. */
  readonly maxMapCount?: number;
  /** Bytes a stack may have (RLIMIT_STACK). Default 8 MiB. */
  readonly stackLimit?: number;
  /** Folio sizes of first touches. Default: as Linux starts, PMD size where MADV_HUGEPAGE asks for it. */
  readonly thp?: Partial<ThpOptions>;
  /** Physical memory in bytes. Default 64 GiB. */
  readonly memory?: number;
  /** Swap space in bytes. Default 64 GiB. */
  readonly swap?: number;
  /** Sizes of core's objects for the accounts. Default: x86-64, Linux 6.18. */
  readonly layout?: Layout;
}

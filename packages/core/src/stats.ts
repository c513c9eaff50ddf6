import type { Machine } from './machine.js';

/** Objects of one slab cache. */
export interface SlabStats {
  readonly objectBytes: number;
  readonly live: number;
  readonly peak: number;
  readonly allocated: number;
}

/** Acquisitions of the locks of one class; `contended` counts failed tries. */
export interface LockCounts {
  readonly reads: number;
  readonly writes: number;
  readonly contended: number;
}

/** What a machine has used so far. */
export interface KernelStats {
  readonly slab: Readonly<Record<string, SlabStats>>;
  readonly locks: Readonly<Record<string, LockCounts>>;
  /** Page frames in use. */
  readonly pages: { readonly live: number; readonly peak: number };
  /** Swap slots in use, and the folios in the swap cache. */
  readonly swap: { readonly live: number; readonly cached: number };
  /** Folios between the two halves of a migration: each pins its reverse map. */
  readonly migrations: number;
  /** Pages of KSM, and what it keeps pinned: places where pages were merged, also of pages that are gone until the next pass. */
  readonly ksm: { readonly pages: number; readonly items: number };
  /** Page tables of all levels. */
  readonly tables: { readonly live: number; readonly peak: number };
  readonly vmas: { readonly live: number; readonly peak: number };
  /** Unmapped VMAs that a strategy keeps. */
  readonly zombies: number;
  /** What core and strategy counted: `merge`, `tree-node`, `candidate`, ... */
  readonly counts: Readonly<Record<string, number>>;
  /** Bytes that the simulation itself spends on page tables and `mem_map`. */
  readonly simulatorBytes: number;
}

export function statsOf(m: Machine): KernelStats {
  const slab: Record<string, SlabStats> = {};
  for (const [name, { objectBytes, live, peak, allocated }] of m.slabs) slab[name] = { objectBytes, live, peak, allocated };
  const locks: Record<string, LockCounts> = {};
  for (const [name, { reads, writes, contended }] of m.locks) locks[name] = { reads, writes, contended };
  return {
    slab,
    locks,
    pages: { live: m.mem.live, peak: m.mem.peak },
    swap: { live: m.swap.live, cached: m.swap.slots.size },
    migrations: m.migrations.size,
    ksm: { pages: m.ksm.stable.size, items: m.ksm.items },
    tables: { live: m.tables.live, peak: m.tables.peak },
    vmas: { live: m.vmas.live, peak: m.vmas.peak },
    zombies: m.zombies,
    counts: Object.fromEntries(m.counts),
    simulatorBytes: m.tables.bytes + m.mem.bytes,
  };
}

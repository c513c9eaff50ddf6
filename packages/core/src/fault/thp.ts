import { PMD_ORDER } from '../folio/mem-map.js';
import type { Machine } from '../machine.js';
import { type Address, PAGE_SIZE } from '../units.js';
import { isTemporaryStack, VM_HUGEPAGE, VM_NOHUGEPAGE, VM_SPECIAL } from '../vma/vm-flags.js';
import type { VmArea } from '../vma/vma.js';

/** When a large folio is taken: in any memory, in memory that asked by MADV_HUGEPAGE, or never. */
export type ThpMode = 'always' | 'madvise' | 'never';

/** The sizes of folios that first touches of anonymous memory take (/sys/kernel/mm/transparent_hugepage). */
export interface ThpOptions {
  /** What orders say that inherit (`enabled`). Default 'madvise'. */
  readonly enabled: ThpMode;
  /** By order, 2 to 9 (`hugepages-*kB/enabled`). Default: 9 inherits, the others never. */
  readonly orders: Readonly<Partial<Record<number, ThpMode | 'inherit'>>>;
}

/** As Linux starts. */
export const DEFAULT_THP: ThpOptions = { enabled: 'madvise', orders: Object.freeze({ [PMD_ORDER]: 'inherit' }) };

/** Anonymous folios have one page, or at least four. */
export const MIN_LARGE_ORDER = 2;

/** A bit for each order that `vma` may have (thp_vma_allowable_orders). */
export function allowableOrders(m: Machine, vma: VmArea): number {
  const { enabled, orders } = m.options.thp;
  if (vma.file !== null || (vma.flags & (VM_NOHUGEPAGE | VM_SPECIAL)) !== 0 || isTemporaryStack(vma.flags)) return 0;
  let bits = 0;
  for (let order = MIN_LARGE_ORDER; order <= PMD_ORDER; order++) {
    const own = orders[order] ?? 'never';
    const mode = own === 'inherit' ? enabled : own;
    if (mode === 'always' || (mode === 'madvise' && (vma.flags & VM_HUGEPAGE) !== 0)) bits |= 1 << order;
  }
  return bits;
}

/** The first address of the naturally aligned 2^order pages around `address`, or null: they don't fit into `vma` (thp_vma_suitable_order). */
export function suitableStart(vma: VmArea, address: Address, order: number): Address | null {
  const bytes = PAGE_SIZE << order;
  const start = Math.floor(address / bytes) * bytes;
  return start >= vma.start && start + bytes <= vma.end ? (start as Address) : null;
}

import type { Cell, Mm, RmapServices, SlabCache, SpinLock, Vma } from '@rmap-lab/core';
import { AnonVmas } from './anon-vma.js';
import { AnonVmaChain, type VmaFields } from './anon-vma-chain.js';

/** What the operations of one kernel's reverse map share. */
export class State<Fields extends VmaFields = VmaFields> {
  readonly anonVmas: AnonVmas;
  readonly chains: SlabCache<AnonVmaChain>;
  readonly vmas: Cell<Vma, Fields>;
  /** Settles which of two first faults of a VMA prepares it (`mm->page_table_lock`). */
  readonly pageTableLock: Cell<Mm, SpinLock>;

  constructor(
    readonly services: RmapServices,
    fields: () => Fields,
  ) {
    this.anonVmas = new AnonVmas(services);
    this.chains = services.slab('anon_vma_chain', { bytes: 64, create: () => new AnonVmaChain() });
    this.vmas = services.perVma(fields);
    this.pageTableLock = services.perMm(() => services.spinlock('page_table_lock'));
  }
}

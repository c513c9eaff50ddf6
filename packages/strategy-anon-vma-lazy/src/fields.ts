import type { Vma } from '@rmap-lab/core';
import { type AnonVma, VmaFields } from '@rmap-lab/strategy-anon-vma/parts';

/**
 * What this design makes of `vma->anon_vma` and adds to a VMA. Without an anon_vma of its own and with a root it is lazy
 * (TREE_VMA), with links besides it came from a fork (TREE_PARENT).
 */
export class LazyFields extends VmaFields {
  /** Where lazy pages of this VMA point at, and what it holds a reference on unless it is itself. After an upgrade it stays: pages that were not rewritten are still lazy. */
  root: Vma | null = null;
  /** The anon_vma is that of the VMA forked from (`childFolio: 'parentAnonVma'`). */
  borrowed = false;

  // As a root:
  /** How many VMAs, itself included, have this one as root. */
  members = 0;
  /** Pins of KSM on it. */
  pins = 0;
  /** @see LazyState.base */
  base = 0;
  /** What members were upgraded to while somebody might ask; one reference on each until neither members nor pins are left. */
  readonly heirs: AnonVma[] = [];

  /** New pages are lazy. */
  get isLazy(): boolean {
    return this.root !== null && this.anonVma === null;
  }

  override get topology(): object | null {
    return this.anonVma ?? this.root;
  }

  override get isForkChild(): boolean {
    return this.links > (this.anonVma === null || this.borrowed ? 0 : 1);
  }
}

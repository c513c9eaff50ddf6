import { type Pgoff, pageOf, type Vma } from '@rmap-lab/core';
import type { AnonVma } from './anon-vma.js';
import type { IntervalNode } from './interval-tree.js';

/** One link between a VMA and an anon_vma (struct anon_vma_chain): in a list of the VMA and in the tree of the anon_vma. */
export class AnonVmaChain implements IntervalNode<AnonVmaChain> {
  vma = null as unknown as Vma;
  anonVma = null as unknown as AnonVma;
  /** Neighbours in the VMA's list. */
  newer: AnonVmaChain | null = null;
  older: AnonVmaChain | null = null;
  /** Offsets of the VMA's first and last page when it was keyed. */
  first = 0;
  last = 0;
  subtreeLast = 0;
  height = 0;
  left: AnonVmaChain | null = null;
  right: AnonVmaChain | null = null;
  parent: AnonVmaChain | null = null;
}

/** What this design adds to a VMA: `vma->anon_vma` and `vma->anon_vma_chain`. */
export class VmaFields {
  /** Where the VMA's new pages go; null until the first. */
  anonVma: AnonVma | null = null;
  /** The list of links, and how many there are. */
  newest: AnonVmaChain | null = null;
  oldest: AnonVmaChain | null = null;
  links = 0;

  /** What must be the same, or absent, in two VMAs that merge. */
  get topology(): object | null {
    return this.anonVma;
  }

  /** Links to an ancestor's anon_vma stay for good, so this remembers a fork however little is still shared (vma_is_fork_child). */
  get isForkChild(): boolean {
    return this.links > 1;
  }

  /** Links `vma`, whose fields these are, to `anonVma` with `link`, as the newest. @locks root W (anon_vma_chain_link) */
  add(link: AnonVmaChain, vma: Vma, anonVma: AnonVma): void {
    link.vma = vma;
    link.anonVma = anonVma;
    link.newer = null;
    link.older = this.newest;
    if (this.newest === null) this.oldest = link;
    else this.newest.newer = link;
    this.newest = link;
    this.links++;
    key(link);
  }

  /** Takes `link` out of the list. */
  remove(link: AnonVmaChain): void {
    const { newer, older } = link;
    if (newer === null) this.newest = older;
    else newer.older = older;
    if (older === null) this.oldest = newer;
    else older.newer = newer;
    this.links--;
  }

  /** Takes all links out of their trees, before the VMA's range changes. @locks root W (anon_vma_interval_tree_pre_update_vma) */
  unkeyAll(): void {
    for (let link = this.newest; link !== null; link = link.older) link.anonVma.remove(link);
  }

  /** Puts them back under the new range, behind their equals. @locks root W (anon_vma_interval_tree_post_update_vma) */
  keyAll(): void {
    for (let link = this.newest; link !== null; link = link.older) key(link);
  }
}

function key(link: AnonVmaChain): void {
  const { vma } = link;
  link.first = vma.anonPgoff;
  link.last = (vma.anonPgoff + pageOf(vma.end) - pageOf(vma.start) - 1) as Pgoff;
  link.anonVma.insert(link);
}

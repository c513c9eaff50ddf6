import {
  defineStrategy,
  type Folio,
  GONE,
  type Op,
  type Rmap,
  type RmapHold,
  type RmapQuery,
  type RmapServices,
  type RmapStrategy,
  type RmapVisitor,
  type Vma,
} from '@rmap-lab/core';

/**
 * Remembers the VMA in which a page was mapped first, and looks for the page there. That is right until a process forks, or splits or
 * moves its memory: the suite shows what is missed then. Each TODO says what a hook owes, with the rule that is broken now.
 */
class MyStrategy implements Rmap {
  private readonly vmas = new Map<number, Vma>();

  constructor(private readonly services: RmapServices) {}

  // ---- VMAs. More hooks of this kind, all optional: canMerge, survivor, adjust, move; for address spaces mmInit, forkMm, mmExit.

  /** Anonymous pages may be mapped in `vma` from now on (the kernel's __anon_vma_prepare). */
  prepare(vma: Vma): void {
    this.vmas.set(vma.id, vma);
  }

  /** `child` is the copy of `parent` in a new process; its entries are copied next (anon_vma_fork). */
  fork(child: Vma, _parent: Vma): void {
    // TODO R7: pages of the parent are going to be mapped in the child, too, and must be found there.
    this.vmas.set(child.id, child);
  }

  /** `to` is going to hold entries of `from`, because of a split, a move or a merge (anon_vma_clone). */
  clone(to: Vma, _from: Vma, _why: 'split' | 'move' | 'merge'): void {
    // TODO R6: pages of `from` must be found in `to`, too.
    this.vmas.set(to.id, to);
  }

  /** `vma` holds no entry any more (unlink_anon_vmas). */
  unlink(vma: Vma): void {
    // TODO R20: its page tables are freed next. Return only when no walk can be inside them.
    this.vmas.delete(vma.id);
  }

  // ---- Folios. Each has one number for you, its anchor. Also optional: transfer, drop; for single entries reserve, mapping, unmapped.

  /** `folio` is mapped in `vma`: point it at where a walk must start (__folio_set_anon). */
  anchor(folio: Folio, vma: Vma, _event: 'new' | 'new-shared' | 'reuse' | 'rehome'): void {
    this.services.folios.setAnchor(folio, vma.id);
  }

  /** Would a walk from the anchor of `folio` visit `vma`? If not, a page read back from swap is copied instead of shared. */
  reaches(folio: Folio, vma: Vma): boolean {
    return this.services.folios.anchor(folio) === vma.id;
  }

  // ---- Walks. A hold is a number of your own that `walk` and `release` get back; GONE and BUSY have a meaning.

  /** 'read': a walk is about to run. 'write': keep other walks of the folio out. 'pin': walks will follow, whatever happens meanwhile. */
  *hold(folio: Folio, _mode: 'pin' | 'read' | 'write', _wait: boolean): Op<RmapHold> {
    // TODO R24, R25: take a lock of yours: for 'read' shared, for 'write' alone; BUSY when it would have to wait and must not.
    return (yield* this.services.folios.mapped(folio)) ? this.services.folios.anchor(folio) : GONE;
  }

  /** The same, from a VMA: for KSM ('pin') and collapse ('write'). */
  holdVma(vma: Vma, _mode: 'pin' | 'write'): RmapHold {
    return vma.id;
  }

  release(_hold: RmapHold): void {}

  /** Offers every VMA in which the wanted pages may be mapped. Too many only cost time: the entries are checked (rmap_walk_anon). */
  *walk(hold: RmapHold, query: RmapQuery, visitor: RmapVisitor): Op<void> {
    const vma = this.vmas.get(hold);
    const address = vma && this.services.addressIn(vma, query.first, query.last);
    if (!vma || address == null) return;
    const more = visitor.visit(vma, address);
    if (!(typeof more === 'boolean' ? more : yield* more)) return;
  }
}

/** What core must know before it makes one. */
export const myStrategy = (): RmapStrategy =>
  defineStrategy({
    name: 'my-strategy',
    contract: 1,
    prepareUnder: 'vma-lock',
    ksm: 'anchors',
    locks: [],
    // Bytes that the design adds to each of these structs of the kernel.
    bytes: { vma: 0, mm: 0, folio: 0 },
    create: (services) => new MyStrategy(services),
  });

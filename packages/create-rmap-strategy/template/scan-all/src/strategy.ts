import {
  type Address,
  BUSY,
  defineStrategy,
  type Folio,
  GONE,
  type Mm,
  type Op,
  type PageTableMove,
  type Rmap,
  type RmapHold,
  type RmapQuery,
  type RmapServices,
  type RmapStrategy,
  type RmapVisitor,
  type RwSem,
  TASK_SIZE,
  type Vma,
  type VmaAdjust,
} from '@rmap-lab/core';

/** Holds are these, so that `release` knows what to give back. */
const MODES = { pin: 1, read: 2, write: 3 } as const;

/**
 * The simplest design that is right: no records at all. A walk looks into every VMA of every process, under one lock. The suite's
 * level `scale` shows why nobody does it.
 */
class MyStrategy implements Rmap {
  /** Walks read; whatever moves entries, changes ranges or frees page tables writes. */
  private readonly lock: RwSem;

  constructor(private readonly services: RmapServices) {
    this.lock = services.rwsem('scan');
  }

  /** The address space is freed next: the same, as a walk may look at one without VMAs. */
  *mmExit(_mm: Mm): Op<void> {
    yield* this.lock.write();
    this.lock.writeUnlock();
  }

  // ---- VMAs: nothing is kept for them

  prepare(_vma: Vma): void {}
  fork(_child: Vma, _parent: Vma): void {}
  clone(_to: Vma, _from: Vma, _why: 'split' | 'move' | 'merge'): void {}

  /** The page tables of `vma` are freed next: waits for walks to leave them. */
  *unlink(_vma: Vma): Op<void> {
    yield* this.lock.write();
    this.lock.writeUnlock();
  }

  *adjust(change: VmaAdjust): Op<void> {
    yield* this.lock.write();
    yield* change.apply();
    this.lock.writeUnlock();
  }

  *move(move: PageTableMove): Op<void> {
    while (yield* move.next()) {
      yield* this.lock.write();
      yield* move.step();
      this.lock.writeUnlock();
    }
  }

  // ---- folios: an anchor that says nothing but that there is one

  anchor(folio: Folio, _vma: Vma, _event: 'new' | 'new-shared' | 'reuse' | 'rehome'): void {
    this.services.folios.setAnchor(folio, 1);
  }

  reaches(_folio: Folio, _vma: Vma): boolean {
    return true;
  }

  // ---- walks

  *hold(folio: Folio, mode: 'pin' | 'read' | 'write', wait: boolean): Op<RmapHold> {
    if (!(yield* this.services.folios.mapped(folio))) return GONE;
    return (yield* this.take(mode, wait)) ? MODES[mode] : BUSY;
  }

  *holdVma(_vma: Vma, mode: 'pin' | 'write'): Op<RmapHold> {
    yield* this.take(mode, true);
    return MODES[mode];
  }

  release(hold: RmapHold): void {
    if (hold === MODES.read) this.lock.readUnlock();
    if (hold === MODES.write) this.lock.writeUnlock();
  }

  /** A fork may copy an entry to a new process before the walk comes to it, so processes that came meanwhile are looked at, too. */
  *walk(hold: RmapHold, query: RmapQuery, visitor: RmapVisitor): Op<void> {
    if (hold === MODES.pin) yield* this.lock.read();
    const seen = new Set<Mm>();
    for (let mm = yield* this.unseen(seen); mm !== undefined; mm = yield* this.unseen(seen))
      if (!(yield* this.scan(mm, query, visitor))) break;
    if (hold === MODES.pin) this.lock.readUnlock();
  }

  private *unseen(seen: Set<Mm>): Op<Mm | undefined> {
    const mm = (yield* this.services.mms()).find((each) => !seen.has(each));
    if (mm !== undefined) seen.add(mm);
    return mm;
  }

  /** false: the visitor has seen enough. */
  private *scan(mm: Mm, query: RmapQuery, visitor: RmapVisitor): Op<boolean> {
    for (const vma of yield* mm.vmas.overlapping(0 as Address, TASK_SIZE)) {
      const address = vma.faulted ? this.services.addressIn(vma, query.first, query.last) : null;
      if (address === null) continue;
      const more = visitor.visit(vma, address);
      if (!(typeof more === 'boolean' ? more : yield* more)) return false;
    }
    return true;
  }

  private *take(mode: 'pin' | 'read' | 'write', wait: boolean): Op<boolean> {
    if (mode === 'pin') return true;
    if (!wait) return mode === 'read' ? this.lock.tryRead() : this.lock.tryWrite();
    yield* mode === 'read' ? this.lock.read() : this.lock.write();
    return true;
  }
}

/** What core must know before it makes one. */
export const myStrategy = (): RmapStrategy =>
  defineStrategy({
    name: 'my-strategy',
    contract: 1,
    prepareUnder: 'vma-lock',
    ksm: 'anchors',
    locks: [{ name: 'scan', slot: 'above-ptl', kind: 'rwsem' }],
    // Bytes that the design adds to each of these structs of the kernel.
    bytes: { vma: 0, mm: 0, folio: 0 },
    state: 'managed',
    create: (services) => new MyStrategy(services),
  });

import {
  type Address,
  defineStrategy,
  type Folio,
  type Mm,
  type Op,
  type Rmap,
  type RmapHold,
  type RmapQuery,
  type RmapServices,
  type RmapVisitor,
  type RwSem,
  type Vma,
} from '../../src/index.js';

/** The simplest correct design: a walk looks at every faulted VMA of every address space, under one lock. */
export class ScanAll implements Rmap {
  private readonly lock: RwSem;
  private readonly modes: ('read' | 'write' | 'pin')[] = [];
  constructor(protected readonly services: RmapServices) {
    this.lock = services.rwsem('scan');
  }

  prepare(_vma: Vma): void {}
  fork(_child: Vma, _parent: Vma): void {}
  clone(_to: Vma, _from: Vma): void {}

  /** Waits for walks: the page tables go next. */
  *unlink(_vma: Vma): Op<void> {
    yield* this.lock.write();
    this.lock.writeUnlock();
  }

  *move(move: Parameters<NonNullable<Rmap['move']>>[0]): Op<void> {
    while (yield* move.next()) {
      yield* this.lock.write();
      yield* move.step();
      this.lock.writeUnlock();
    }
  }

  anchor(folio: Folio): void {
    this.services.folios.setAnchor(folio, 1);
  }

  reaches(): boolean {
    return true;
  }

  *hold(folio: Folio, mode: 'pin' | 'read' | 'write', wait: boolean): Op<RmapHold> {
    if (!(yield* this.services.folios.mapped(folio))) return 0;
    return (yield* this.take(mode, wait)) ? this.modes.push(mode) : -1;
  }

  *holdVma(_vma: Vma, mode: 'pin' | 'write'): Op<RmapHold> {
    yield* this.take(mode, true);
    return this.modes.push(mode);
  }

  release(hold: RmapHold): void {
    const mode = this.modes[hold - 1];
    if (mode === 'read') this.lock.readUnlock();
    if (mode === 'write') this.lock.writeUnlock();
  }

  /** Asks for address spaces again and again: one may have gone meanwhile, and a fork may have copied an entry before the walk came to it. */
  *walk(_hold: RmapHold, query: RmapQuery, visitor: RmapVisitor): Op<void> {
    const seen = new Set<Mm>();
    for (;;) {
      const mm = (yield* this.services.mms()).find((each) => !seen.has(each));
      if (mm === undefined) return;
      seen.add(mm);
      if (!(yield* this.scan(mm, query, visitor))) return;
    }
  }

  private *scan(mm: Mm, query: RmapQuery, visitor: RmapVisitor): Op<boolean> {
    for (const vma of yield* mm.vmas.overlapping(0 as Address, (2 ** 47) as Address)) {
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

export const scanAll = (): ReturnType<typeof defineStrategy> =>
  defineStrategy({
    name: 'scan-all',
    contract: 1,
    prepareUnder: 'vma-lock',
    ksm: 'anchors',
    locks: [{ name: 'scan', slot: 'above-ptl', kind: 'rwsem' }],
    bytes: { vma: 0, mm: 0, folio: 0 },
    create: (services: RmapServices): Rmap => new ScanAll(services),
  });

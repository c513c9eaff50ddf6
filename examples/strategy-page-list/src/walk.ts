import type { Address, Cell, Mm, Op, Pfn, RmapQuery, RmapServices, RmapVisitor, RwSem, Vma } from '@rmap-lab/core';
import { type Chain, find, type Place } from './place.js';

/** Where the visitor has looked for a whole large folio. */
interface Range {
  readonly vma: Vma;
  readonly mm: Mm;
  readonly start: Address;
  readonly end: Address;
}

/** How a place was met. 'again': a VMA has changed so much meanwhile that all must be visited once more. */
type Met = 'more' | 'enough' | 'again';

/** One walk over the places of a folio. Places that come meanwhile, by a fork or a move, are visited too. */
export class Walk {
  private readonly visited = new Set<string>();
  private ranges: Range[] = [];
  private readonly pages: number;

  constructor(
    private readonly services: RmapServices,
    private readonly gates: Cell<Mm, RwSem>,
    private readonly chain: Chain,
    private readonly query: RmapQuery,
    private readonly visitor: RmapVisitor,
  ) {
    this.pages = services.folios.pages(query.folio);
  }

  *run(): Op<void> {
    while ((yield* this.pass()) === 'again') {
      this.visitor.restart();
      this.visited.clear();
      this.ranges = [];
    }
  }

  private *pass(): Op<Met> {
    const { folio } = this.query;
    const { moves } = this.chain;
    for (let i = 0; i < this.pages; i++) {
      const met = yield* this.visitPage((folio + i) as Pfn);
      if (met !== 'more') return met;
      // Part of a large folio may have come to where the visitor has been.
      if (this.pages > 1 && moves !== this.chain.moves) return 'again';
    }
    return 'more';
  }

  private *visitPage(page: Pfn): Op<Met> {
    for (let place = this.next(page); place !== null; place = this.next(page)) {
      const { mm, address } = place;
      this.visited.add(keyOf(page, place));
      if (mm === null) continue;
      const met = yield* this.visitPinned(page, mm, address);
      if (met !== 'more') return met;
    }
    return 'more';
  }

  private *visitPinned(page: Pfn, mm: Mm, address: Address): Op<Met> {
    const { id } = mm;
    // An address space without users is being torn down: its entries may be missed.
    if (!(yield* mm.tryPin())) return 'more';
    let met: Met = 'more';
    // It may have gone while we waited, and its memory be another one now.
    if (mm.id === id) {
      const gate = this.gates.of(mm);
      yield* gate.read();
      met = yield* this.visit(page, mm, address);
      gate.readUnlock();
    }
    mm.unpin();
    return met;
  }

  /** The first place of a page that was not visited. */
  private next(page: Pfn): Place | null {
    for (let place = this.chain.lists.get(page)?.first ?? null; place !== null; place = place.next) {
      this.services.count('place');
      if (!this.visited.has(keyOf(page, place)) && !this.ranges.some((range) => contains(range, place))) return place;
    }
    return null;
  }

  /** Visits a place if it still is one. A large folio is looked for in all of the VMA at once. */
  private *visit(page: Pfn, mm: Mm, address: Address): Op<Met> {
    if (find(this.chain, page, mm, address).place === null) {
      // It went while we waited, and may come back.
      this.visited.delete(keyOf(page, { mm, address }));
      return 'more';
    }
    const vma = yield* mm.vmas.find(address);
    if (vma === null || vma.start > address) return 'more';
    const lowest = this.pages === 1 ? address : this.services.addressIn(vma, this.query.first, this.query.last);
    if (lowest === null) return 'more';
    if (this.ranges.some((range) => range.vma === vma)) return 'again';
    if (this.pages > 1) this.ranges.push({ vma, mm, start: vma.start, end: vma.end });
    const more = this.visitor.visit(vma, lowest);
    return (typeof more === 'boolean' ? more : yield* more) ? 'more' : 'enough';
  }
}

const keyOf = (page: Pfn, { mm, address }: Pick<Place, 'mm' | 'address'>): string => `${page} ${mm?.id} ${address}`;
const contains = ({ mm, start, end }: Range, place: Place): boolean =>
  place.mm === mm && place.address >= start && place.address < end;

import {
  type Address,
  defineStrategy,
  type Folio,
  type Mm,
  type Op,
  PAGE_SIZE,
  type Pfn,
  type PteSpan,
  type Rmap,
  type RmapHold,
  type RmapQuery,
  type RmapServices,
  type RmapVisitor,
  type Vma,
} from '../../src/index.js';
import { ScanAll } from './scan-all.js';

/** Where a page is mapped. */
interface Place {
  readonly mm: Mm;
  readonly address: Address;
  /** A PMD entry maps the page, and may for a moment do so beside the PTEs that it is split into. */
  readonly pmd: boolean;
}

const keyOf = ({ mm, address, pmd }: Place): string => `mm ${mm.id} at 0x${address.toString(16)}${pmd ? ' by PMD' : ''}`;

/**
 * A list of places for each page, kept by the hooks for single entries alone, as Linux 2.5 had it (pte_chain): wrong at once when
 * core forgets to announce an entry, or announces one twice. Swapped-in pages are never shared (`reaches`).
 */
class PageList extends ScanAll {
  private readonly places = new Map<Pfn, Map<string, Place>>();
  private reserved = 0;

  constructor(services: RmapServices) {
    super(services);
  }

  override reaches(): boolean {
    return false;
  }

  reserve(pages: number): void {
    this.reserved = Math.max(this.reserved, pages);
  }

  mapping(span: PteSpan, why: 'new' | 'fork' | 'move', from: PteSpan | null): void {
    if ((why === 'new') !== (from === null)) throw new Error(`mapping '${why}' ${from === null ? 'without' : 'with'} a source`);
    const source = from ?? span;
    const shift = span.address - source.address;
    this.eachPage(source, (page, at) => {
      const pmd = source.level === 'pmd';
      const place = { mm: span.vma.mm, address: (at + shift) as Address, pmd };
      if (why === 'move') this.remove(page, { mm: source.vma.mm, address: at, pmd });
      else if (this.reserved === 0) throw new Error(`mapping '${why}' without a reservation`);
      this.add(page, place);
    });
  }

  unmapped(span: PteSpan): void {
    this.eachPage(span, (page, address) => this.remove(page, { mm: span.vma.mm, address, pmd: span.level === 'pmd' }));
  }

  transfer(to: Folio, from: Folio, why: 'migrate' | 'split'): void {
    this.services.folios.setAnchor(to, 1);
    if (why === 'split') return;
    for (let i = 0; i < this.services.folios.pages(from); i++) {
      const places = this.places.get((from + i) as Pfn);
      if (places === undefined) continue;
      this.places.delete((from + i) as Pfn);
      this.places.set((to + i) as Pfn, places);
    }
  }

  override *walk(_hold: RmapHold, { folio }: RmapQuery, visitor: RmapVisitor): Op<void> {
    for (const [vma, address] of yield* this.candidates(folio)) {
      const more = visitor.visit(vma, address);
      if (!(typeof more === 'boolean' ? more : yield* more)) return;
    }
  }

  /** The VMAs that map `folio`, each with the lowest address; of a folio of one page with every address, as a KSM page may have several. */
  private *candidates(folio: Folio): Op<[Vma, Address][]> {
    const found: [Vma, Address][] = [];
    const pages = this.services.folios.pages(folio);
    for (let i = 0; i < pages; i++) {
      for (const { mm, address } of this.places.get((folio + i) as Pfn)?.values() ?? []) {
        const vma = yield* mm.vmas.find(address);
        if (vma === null || vma.start > address) throw new Error(`page ${folio + i} is listed outside every VMA`);
        const before = pages === 1 ? undefined : found.find(([other]) => other === vma);
        if (before === undefined) found.push([vma, address]);
        else if (address < before[1]) before[1] = address;
      }
    }
    return found;
  }

  /** Each page that the span's entries map: 512 for one of PMD size. */
  private eachPage(span: PteSpan, fn: (page: Pfn, at: Address) => void): void {
    const pages = span.level === 'pmd' ? span.pages : 1;
    span.forEach((page, at) => {
      for (let i = 0; i < pages; i++) fn((page + i) as Pfn, (at + i * PAGE_SIZE) as Address);
    });
  }

  private add(page: Pfn, place: Place): void {
    const places = this.places.get(page) ?? new Map<string, Place>();
    if (places.has(keyOf(place))) throw new Error(`page ${page} is announced twice at ${keyOf(place)}`);
    places.set(keyOf(place), place);
    this.places.set(page, places);
  }

  private remove(page: Pfn, place: Place): void {
    const places = this.places.get(page);
    if (!places?.delete(keyOf(place))) throw new Error(`page ${page} leaves ${keyOf(place)}, where it was never announced`);
    if (places.size === 0) this.places.delete(page);
  }
}

export const pageList = (): ReturnType<typeof defineStrategy> =>
  defineStrategy({
    name: 'page-list',
    contract: 1,
    prepareUnder: 'vma-lock',
    ksm: 'direct',
    locks: [{ name: 'scan', slot: 'above-ptl', kind: 'rwsem' }],
    bytes: { vma: 0, mm: 0, folio: 0 },
    create: (services: RmapServices): Rmap => new PageList(services),
  });

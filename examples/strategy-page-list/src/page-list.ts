import {
  type Address,
  BUSY,
  type Cell,
  type Folio,
  GONE,
  type Mm,
  type Op,
  PAGE_SIZE,
  type PageTableMove,
  type Pfn,
  type PteSpan,
  type Ref,
  type Rmap,
  type RmapHold,
  type RmapQuery,
  type RmapServices,
  type RmapVisitor,
  type RwSem,
  type Vma,
  type VmaAdjust,
} from '@rmap-lab/core';
import { Memory } from './memory.js';
import { type Chain, find, type List } from './place.js';
import { Walk } from './walk.js';

/** In the last digit of a hold: what it is. Of 'vma' the rest is a VMA, else a chain. */
const KINDS = ['pin', 'read', 'write', 'vma'] as const;
type Kind = (typeof KINDS)[number];

/** A list of places for each page: every entry is recorded when it is made and taken out when it goes (page_add_rmap, page_remove_rmap). */
export class PageList implements Rmap {
  private readonly memory: Memory;
  /** Closed while page tables of the address space change hands: 2.5 needed none of it, as its walks never slept. */
  private readonly gates: Cell<Mm, RwSem>;
  private mms = 0;

  constructor(private readonly services: RmapServices) {
    this.memory = new Memory(services);
    this.gates = services.perMm(() => services.rwsem('mm-gate'));
  }

  // ---- address spaces and VMAs: nothing is kept for them, walks are kept out while they change

  mmInit(): void {
    this.mms++;
  }

  mmExit(): void {
    if (--this.mms === 0) this.memory.empty();
  }

  prepare(): void {}
  fork(): void {}
  clone(): void {}

  *unlink({ mm }: Vma): Op<void> {
    const gate = this.gates.of(mm);
    yield* gate.write();
    gate.writeUnlock();
  }

  *adjust(change: VmaAdjust): Op<void> {
    const gate = this.gates.of(change.changes[0].vma.mm);
    yield* gate.write();
    yield* change.apply();
    gate.writeUnlock();
  }

  *move(move: PageTableMove): Op<void> {
    const gate = this.gates.of(move.from.mm);
    while (yield* move.next()) {
      yield* gate.write();
      yield* move.step();
      gate.writeUnlock();
    }
  }

  // ---- folios: the anchor word is a chain

  anchor(folio: Folio, _vma: Vma, event: 'new' | 'new-shared' | 'reuse' | 'rehome'): void {
    if (event === 'new' || event === 'new-shared')
      this.services.folios.setAnchor(folio, this.memory.chains.ref(this.memory.takeChain()));
  }

  /** Any VMA is reached: its entry will be in the list. */
  reaches(): boolean {
    return true;
  }

  transfer(to: Folio, from: Folio, why: 'migrate' | 'split'): void {
    const word = this.services.folios.anchor(from);
    const chain = this.at(word);
    this.services.folios.setAnchor(to, word);
    chain.users++;
    if (why === 'split') return;
    for (let i = 0; i < this.services.folios.pages(from); i++) {
      const list = this.listOf(chain, (from + i) as Pfn);
      list.pages++;
      chain.lists.set((to + i) as Pfn, list);
    }
  }

  drop(folio: Folio): void {
    const chain = this.at(this.services.folios.anchor(folio));
    for (let i = 0; i < this.services.folios.pages(folio); i++) this.forget(chain, (folio + i) as Pfn);
    this.put(chain);
  }

  /** Usually the list is empty. What is left are migration entries that were unmapped before the walk that would have replaced them came. */
  private forget(chain: Chain, page: Pfn): void {
    const list = chain.lists.get(page);
    chain.lists.delete(page);
    if (list === undefined || --list.pages > 0) return;
    for (let place = list.first; place !== null; ) {
      const { next } = place;
      this.memory.freePlace(place);
      place = next;
    }
  }

  // ---- entries

  reserve(pages: number): Op<void> {
    return this.memory.reserve(pages);
  }

  mapping(span: PteSpan, why: 'new' | 'fork' | 'move', from: PteSpan | null): void {
    const source = from ?? span;
    const shift = span.address - source.address;
    this.eachPage(source, (page, at) => {
      const to = (at + shift) as Address;
      if (why === 'move') this.carry(page, source.vma.mm, at, span.vma.mm, to);
      else this.add(page, span.vma.mm, to);
    });
  }

  unmapped(span: PteSpan): void {
    this.eachPage(span, (page, at) => this.remove(page, span.vma.mm, at));
  }

  private add(page: Pfn, mm: Mm, address: Address): void {
    const chain = this.chainOf(page);
    const { place } = find(chain, page, mm, address);
    if (place !== null) {
      place.entries++;
      return;
    }
    const added = this.memory.takePlace();
    const list = this.listOf(chain, page);
    Object.assign(added, { next: list.first, mm, address, entries: 1 });
    list.first = added;
  }

  private remove(page: Pfn, mm: Mm, address: Address): void {
    const chain = this.chainOf(page);
    const { place, before } = find(chain, page, mm, address);
    if (place === null) throw new Error(`page ${page} leaves a place where it was never announced`);
    if (--place.entries > 0) return;
    if (before === null) this.listOf(chain, page).first = place.next;
    else before.next = place.next;
    this.memory.freePlace(place);
  }

  private carry(page: Pfn, mm: Mm, address: Address, toMm: Mm, to: Address): void {
    const chain = this.chainOf(page);
    const { place } = find(chain, page, mm, address);
    if (place === null) throw new Error(`page ${page} travels from a place where it was never announced`);
    chain.moves++;
    place.mm = toMm;
    place.address = to;
  }

  /** Each page that the entries map: 512 for one of PMD size. */
  private eachPage(span: PteSpan, look: (page: Pfn, at: Address) => void): void {
    const pages = span.level === 'pmd' ? span.pages : 1;
    span.forEach((page, at) => {
      for (let i = 0; i < pages; i++) look((page + i) as Pfn, (at + i * PAGE_SIZE) as Address);
    });
  }

  private listOf(chain: Chain, page: Pfn): List {
    const list = chain.lists.get(page) ?? { first: null, pages: 1 };
    chain.lists.set(page, list);
    return list;
  }

  private chainOf(page: Pfn): Chain {
    return this.at(this.services.folios.anchor(this.services.folios.of(page)));
  }

  // ---- walks

  *hold(folio: Folio, mode: 'pin' | 'read' | 'write', wait: boolean): Op<RmapHold> {
    if (!(yield* this.services.folios.mapped(folio))) return GONE;
    const word = yield* this.services.folios.readAnchor(folio);
    if (word === 0) return GONE;
    const chain = this.at(word);
    chain.users++;
    if (yield* this.close(chain.gate, mode, wait)) return word * KINDS.length + KINDS.indexOf(mode);
    this.put(chain);
    return BUSY;
  }

  /** Only to keep walks out: KSM pages are walked from the page itself. */
  *holdVma(vma: Vma): Op<RmapHold> {
    yield* this.gates.of(vma.mm).write();
    return this.services.vmaRefs.ref(vma) * KINDS.length + KINDS.indexOf('vma');
  }

  release(hold: RmapHold): void {
    const [kind, word] = this.readHold(hold);
    if (kind === 'vma') {
      this.gates.of(this.services.vmaRefs.at(word as Ref<Vma>).mm).writeUnlock();
      return;
    }
    const chain = this.at(word);
    if (kind === 'read') chain.gate.readUnlock();
    if (kind === 'write') chain.gate.writeUnlock();
    this.put(chain);
  }

  *walk(hold: RmapHold, query: RmapQuery, visitor: RmapVisitor): Op<void> {
    const [kind, word] = this.readHold(hold);
    const chain = this.at(word);
    if (kind === 'pin') yield* chain.gate.read();
    yield* new Walk(this.services, this.gates, chain, query, visitor).run();
    if (kind === 'pin') chain.gate.readUnlock();
  }

  private *close(gate: RwSem, mode: 'pin' | 'read' | 'write', wait: boolean): Op<boolean> {
    if (mode === 'pin') return true;
    if (!wait) return mode === 'read' ? gate.tryRead() : gate.tryWrite();
    yield* mode === 'read' ? gate.read() : gate.write();
    return true;
  }

  private readHold(hold: RmapHold): [Kind, number] {
    return [KINDS[hold % KINDS.length], Math.floor(hold / KINDS.length)];
  }

  private at(word: number): Chain {
    return this.memory.chains.at(word as Ref<Chain>);
  }

  private put(chain: Chain): void {
    if (--chain.users === 0) this.memory.chains.free(chain);
  }
}

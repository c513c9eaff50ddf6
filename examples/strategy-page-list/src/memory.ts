import type { Address, Op, RmapServices, SlabCache } from '@rmap-lab/core';
import type { Chain, Place } from './place.js';

/**
 * How many operations may be at once between `reserve` and the hooks that live off it. Core doesn't say when a reservation ends, so
 * that many of the latest are kept as if all were still wanted.
 */
const AT_ONCE = 4;

/** Memory of chains and places, with some put by for hooks that may not allocate (2.5's pte_chain_alloc). */
export class Memory {
  readonly chains: SlabCache<Chain>;
  private readonly places: SlabCache<Place>;
  private readonly spareChains: Chain[] = [];
  private readonly sparePlaces: Place[] = [];
  private readonly reserved: number[] = [];

  constructor(services: RmapServices) {
    // 2.5 guarded a chain by a bit lock in page->flags. Here what has no yield in it is atomic, so the lock is left out, and said to be.
    this.chains = services.slab<Chain>('page_chain', {
      bytes: 64,
      create: () => ({ lists: new Map(), gate: services.rwsem('chain'), users: 0, moves: 0 }),
      marked: ['lists', 'users', 'moves'],
    });
    this.places = services.slab<Place>('pte_chain', {
      bytes: 16,
      create: () => ({ next: null, mm: null, address: 0 as Address, entries: 0 }),
      marked: ['next', 'mm', 'address', 'entries'],
    });
  }

  /** Puts by what one new folio and `pages` entries take. @throws NoMemory */
  *reserve(pages: number): Op<void> {
    this.reserved.push(pages);
    if (this.reserved.length > AT_ONCE) this.reserved.shift();
    while (this.spareChains.length < AT_ONCE) this.spareChains.push(this.chains.tryAlloc() ?? (yield* this.chains.alloc()));
    while (this.sparePlaces.length < this.wanted) this.sparePlaces.push(this.places.tryAlloc() ?? (yield* this.places.alloc()));
    while (this.sparePlaces.length > this.wanted) this.places.free(this.sparePlaces.pop() as Place);
  }

  /** Gives back all that is put by. */
  empty(): void {
    this.reserved.length = 0;
    for (const chain of this.spareChains.splice(0)) this.chains.free(chain);
    for (const place of this.sparePlaces.splice(0)) this.places.free(place);
  }

  /** An empty chain with one user. */
  takeChain(): Chain {
    const chain = this.spareChains.pop();
    if (chain === undefined) throw new Error('a page is anchored that nothing was reserved for');
    chain.lists.clear();
    chain.users = 1;
    return chain;
  }

  takePlace(): Place {
    const place = this.sparePlaces.pop();
    if (place === undefined) throw new Error('an entry is announced that nothing was reserved for');
    return place;
  }

  freePlace(place: Place): void {
    place.mm = null;
    place.next = null;
    this.places.free(place);
  }

  private get wanted(): number {
    return this.reserved.reduce((sum, pages) => sum + pages, 0);
  }
}

import {
  type Address,
  type Mm,
  type Op,
  PAGE_SIZE,
  type RmapHold,
  type RmapQuery,
  type RmapVisitor,
  TASK_SIZE,
  type Vma,
} from '@rmap-lab/core';
import type { Context } from './context.js';
import { held, isPin } from './hold.js';
import type { State } from './state.js';
import { leave, nextChildrenFirst, nextParentFirst } from './traverse.js';

/**
 * Looks for a folio in its owner's address space and in those below: where it was born, and at every delta that is recorded
 * there. Each address space is held still while it is looked at; all the time only the owner's is.
 */
export function* walk(state: State, hold: RmapHold, query: RmapQuery, visitor: RmapVisitor): Op<void> {
  const { contexts, services, choices } = state;
  const owner = held(state, hold);
  const search = new Search(state, query, visitor);
  const next = choices.walkOrder === 'parentFirst' ? nextParentFirst : nextChildrenFirst;
  const rcuOnly = choices.walkLocking === 'rcuOnly';
  if (rcuOnly) services.rcu.readLock();
  if (isPin(hold)) yield* owner.lock.read();
  try {
    for (let at: Context | null = owner; at !== null; at = yield* next(contexts, at, owner)) {
      if (yield* look(search, at, at === owner)) continue;
      yield* leave(contexts, at, owner);
      break;
    }
  } finally {
    if (isPin(hold)) owner.lock.readUnlock();
    if (rcuOnly) services.rcu.readUnlock();
    search.report();
  }
}

function* look(search: Search, context: Context, locked: boolean): Op<boolean> {
  search.contexts++;
  if (context.mm === null) return true;
  if (!locked) yield* context.lock.read();
  try {
    return yield* search.visit(context);
  } finally {
    if (!locked) context.lock.readUnlock();
  }
}

/** One walk. */
class Search {
  contexts = 0;
  private candidates = 0;
  private lookups = 0;
  private recordLookups = 0;
  /** Forks that were over when the walk began: what later ones copy is not among the mappings counted then. */
  private readonly since: number;
  private grown = false;

  constructor(
    private readonly state: State,
    private readonly query: RmapQuery,
    private readonly visitor: RmapVisitor,
  ) {
    this.since = state.contexts.forks;
  }

  /** False: the walk is over. @locks the context's, or RCU */
  *visit(context: Context): Op<boolean> {
    const mm = yield* this.state.services.load(context, 'mm');
    if (mm === null) return true;
    if (context.born > this.since) this.grown = true;
    if (this.state.choices.walkLocking === 'contextLock') return yield* this.everywhere(context, mm);
    if (!(yield* mm.tryPin())) return true;
    try {
      return yield* this.everywhere(context, mm);
    } finally {
      mm.unpin();
    }
  }

  report(): void {
    const { services } = this.state;
    services.count('context', this.contexts);
    services.count('vma-lookup', this.lookups);
    services.count('record-lookup', this.recordLookups);
    services.count('candidate', this.candidates);
  }

  private *everywhere({ records }: Context, mm: Mm): Op<boolean> {
    const { first, last } = this.query;
    const { shortcut } = this.state.choices;
    const exclusive = shortcut === 'exclusive' && (yield* this.looksExclusive());
    if (!(yield* this.at(mm, 0))) return false;
    if (exclusive && (yield* this.looksExclusive())) return false;
    if (records.ranges.length > 0) this.recordLookups++;
    for (const delta of records.deltasIn(first, last)) if (!(yield* this.at(mm, delta))) return false;
    return shortcut === 'exclusive' || !this.foundAll();
  }

  /** Offers the VMAs of one address space that hold the wanted offsets at `delta`. */
  private *at(mm: Mm, delta: number): Op<boolean> {
    const { services } = this.state;
    const { first, last } = this.query;
    const start = Math.max(0, (first + delta) * PAGE_SIZE) as Address;
    const end = Math.min(TASK_SIZE, (last + delta + 1) * PAGE_SIZE) as Address;
    this.lookups++;
    if (start >= end) return true;
    // Somebody else's memory may be at that address: it came from another place, or has no anonymous pages.
    const fits = (vma: Vma): boolean => vma.faulted && vma.delta === delta;
    if (first === last) {
      const vma = yield* mm.vmas.find(start);
      return vma === null || vma.start > start || !fits(vma) || (yield* this.offer(vma, start));
    }
    for (const vma of (yield* mm.vmas.overlapping(start, end)).filter(fits)) {
      const address = services.addressIn(vma, first, last);
      if (address !== null && !(yield* this.offer(vma, address))) return false;
    }
    return true;
  }

  private *offer(vma: Vma, address: Address): Op<boolean> {
    this.candidates++;
    const more = this.visitor.visit(vma, address);
    return typeof more === 'boolean' ? more : yield* more;
  }

  private *looksExclusive(): Op<boolean> {
    return !(yield* this.state.services.folios.maybeMappedShared(this.query.folio));
  }

  /**
   * Whether no mapping is left of those that there were when the walk began. Forks may have copied some meanwhile; and where a
   * PMD entry may have been split meanwhile, the numbers of entries then and now have nothing to do with each other unless it was one.
   */
  private foundAll(): boolean {
    const { mappings, first, last } = this.query;
    return !this.grown && mappings !== null && this.visitor.found === mappings && (mappings === 1 || last - first < 511);
  }
}

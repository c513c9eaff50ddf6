import type { Address, Op, RmapHold, RmapQuery, RmapVisitor, Vma } from '@rmap-lab/core';
import { type AnonVma, pinOf, walk as walkRegular } from '@rmap-lab/strategy-anon-vma/parts';
import { isLazyAnchor, rootRef } from './anchor.js';
import { candidates, pinnedCandidates } from './candidates.js';
import { isLazyHold } from './holds.js';
import type { LazyState } from './state.js';

/** Offers every VMA that may map the query. A pass that began from a root looks at the anchor again, and by the options goes round again. */
export function* walk(state: LazyState, hold: RmapHold, query: RmapQuery, visitor: RmapVisitor): Op<void> {
  if (!isLazyHold(hold)) return yield* walkRegular(state, hold, query, visitor);
  const held = state.holds.of(hold);
  const { root, anchor, pin } = held;
  if (pin) return yield* walkPinned(state, root, query, visitor);
  const { folios } = state.services;
  const { retry } = state.options;
  if (!(yield* offer(state, yield* pinnedCandidates(state, held, query.first, query.last), query, visitor))) return;
  for (let word = anchor; retry !== 'none'; ) {
    const now = yield* folios.readAnchor(query.folio);
    // Without a reference of the walker's own the folio may be free by now, and then has no anchor.
    if (now === word || now === 0 || (retry === 'once' && isLazyAnchor(now))) return;
    word = now;
    visitor.restart();
    if (!(yield* isLazyAnchor(word) ? fromRoot(state, word, query, visitor) : fromAnonVma(state, word, query, visitor))) return;
    if (retry === 'once') return;
  }
}

/** Offers `vmas` where they have one of the wanted pages. False: the visitor has enough. */
function* offer(state: LazyState, vmas: readonly Vma[], { first, last }: RmapQuery, visitor: RmapVisitor): Op<boolean> {
  const { services } = state;
  for (const vma of vmas) {
    const address = services.addressIn(vma, first, last);
    if (address === null || !vma.attached) continue;
    services.count('candidate');
    const more = visitor.visit(vma, address);
    if (!(typeof more === 'boolean' ? more : yield* more)) return false;
  }
  return true;
}

/** A pass from another root than the one held. */
function* fromRoot(state: LazyState, word: number, query: RmapQuery, visitor: RmapVisitor): Op<boolean> {
  const { rcu, vmaRefs } = state.services;
  rcu.readLock();
  const root = vmaRefs.at(rootRef(word));
  const got = vmaRefs.tryGet(root);
  rcu.readUnlock();
  if (!got) return true;
  const more = yield* offer(state, yield* candidates(state, root, query.first, query.last), query, visitor);
  vmaRefs.put(root);
  return more;
}

/** A pass from the anon_vma that the folio was rewritten to. It may be under migration, so that nothing maps it: whatever memory the anchor names will do. */
function* fromAnonVma(state: LazyState, word: number, query: RmapQuery, visitor: RmapVisitor): Op<boolean> {
  const { anonVmas, services } = state;
  services.rcu.readLock();
  const anonVma = anonVmas.at(word);
  const got = yield* anonVmas.tryGet(anonVma);
  services.rcu.readUnlock();
  if (!got) return true;
  const asking = new Asking(visitor);
  yield* walkRegular(state, pinOf(anonVma), query, asking);
  yield* anonVmas.put(anonVma);
  return !asking.enough;
}

/** KSM's walk. No anchor says that a page was upgraded; what the family became while pinned does: if that grew meanwhile, the walk goes round again. */
function* walkPinned(state: LazyState, root: Vma, query: RmapQuery, visitor: RmapVisitor): Op<void> {
  const { retry } = state.options;
  const { heirs } = state.vmas.of(root);
  const rwsem = state.lockTable?.of(state.ref(root)) ?? null;
  if (rwsem !== null) yield* rwsem.read();
  try {
    for (let pass = 1; ; pass++) {
      const known = heirs.slice();
      if (!(yield* offerPinned(state, root, known, query, visitor))) return;
      if (heirs.length === known.length || retry === 'none' || (retry === 'once' && pass > 1)) return;
      visitor.restart();
    }
  } finally {
    rwsem?.readUnlock();
  }
}

/** One pass: the family, as far as one look-up goes, and `heirs` that it became. False: the visitor has enough. */
function* offerPinned(
  state: LazyState,
  root: Vma,
  heirs: readonly AnonVma[],
  query: RmapQuery,
  visitor: RmapVisitor,
): Op<boolean> {
  const { lookup, retry } = state.options;
  const family = lookup === 'range' ? yield* state.family(root) : [root];
  const left = retry === 'none' ? family : family.filter((vma) => !heirs.includes(state.vmas.of(vma).anonVma as AnonVma));
  if (!(yield* offer(state, left, query, visitor))) return false;
  if (retry === 'none') return true;
  const asking = new Asking(visitor);
  for (const heir of heirs) {
    yield* walkRegular(state, pinOf(heir), query, asking);
    if (asking.enough) return false;
  }
  return true;
}

/** A visitor of several walks, that remembers whether it has enough. */
class Asking implements RmapVisitor {
  enough = false;

  constructor(private readonly visitor: RmapVisitor) {}

  get found(): number {
    return this.visitor.found;
  }

  *visit(vma: Vma, address: Address): Op<boolean> {
    const more = this.visitor.visit(vma, address);
    this.enough = !(typeof more === 'boolean' ? more : yield* more);
    return !this.enough;
  }

  restart(): void {
    this.visitor.restart();
  }
}

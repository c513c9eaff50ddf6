import { BUSY, type Folio, GONE, type Op, type RmapHold, type Vma } from '@rmap-lab/core';
import {
  holdFolio as holdRegular,
  holdVma as holdRegularVma,
  release as releaseRegular,
} from '@rmap-lab/strategy-anon-vma/parts';
import { isLazyAnchor, rootRef } from './anchor.js';
import { candidates } from './candidates.js';
import { isLazyHold, type LazyHold } from './holds.js';
import { letHeirsGo } from './root-vma.js';
import type { LazyState } from './state.js';

type Mode = 'pin' | 'read' | 'write';

/** The anchor changed on the way: look again. */
const AGAIN = -2;

/** Starts from a folio. The anchor may turn from lazy to regular at any time, and back when UFFDIO_MOVE takes the folio elsewhere. */
export function* holdFolio(state: LazyState, folio: Folio, mode: Mode, wait: boolean): Op<RmapHold> {
  const { folios } = state.services;
  for (;;) {
    if (isLazyAnchor(yield* folios.readAnchor(folio))) {
      const hold = yield* holdRoot(state, folio, mode, wait);
      if (hold !== AGAIN) return hold;
    } else {
      const hold = yield* holdRegular(state, folio, mode, wait);
      if (hold !== GONE || !isLazyAnchor(yield* folios.readAnchor(folio))) return hold;
    }
  }
}

/**
 * A reference on the root of a mapped lazy folio, and the locks that the options ask for. The root may be free and its
 * memory another VMA by now: as long as it has references, it is good if the folio still points at it afterwards.
 */
function* holdRoot(state: LazyState, folio: Folio, mode: Mode, wait: boolean): Op<RmapHold> {
  const { folios, rcu, vmaRefs } = state.services;
  rcu.readLock();
  const word = yield* folios.readAnchor(folio);
  if (!isLazyAnchor(word) || !(yield* folios.mapped(folio))) {
    rcu.readUnlock();
    return isLazyAnchor(word) ? GONE : AGAIN;
  }
  const root = vmaRefs.at(rootRef(word));
  const got = vmaRefs.tryGet(root);
  rcu.readUnlock();
  if (got) {
    const hold = state.holds.make(root, word);
    const locked = yield* lock(state, hold, folio, mode, wait);
    const same = (yield* folios.readAnchor(folio)) === word;
    if (locked && same && (yield* folios.mapped(folio))) return hold;
    yield* release(state, hold);
    if (!locked) return BUSY;
    return same ? GONE : AGAIN;
  }
  // A mapped folio's root lives; unless a merge let go of it, which nothing here can mend.
  return (yield* folios.readAnchor(folio)) === word ? GONE : AGAIN;
}

/** Whether all locks could be had: those of VMAs are only tried, as the folio lock is held (folio_trylock_get_anon_rmap). */
function* lock(state: LazyState, hold: RmapHold, folio: Folio, mode: Mode, wait: boolean): Op<boolean> {
  const { lockTable } = state;
  const h = state.holds.of(hold);
  if (lockTable !== null) {
    const rwsem = lockTable.of(rootRef(h.anchor));
    h.exclusive = mode === 'write';
    const at_once = h.exclusive ? rwsem.tryWrite() : rwsem.tryRead();
    if (!at_once && !wait) return false;
    if (!at_once) yield* h.exclusive ? rwsem.write() : rwsem.read();
    h.lock = rwsem;
  }
  const locked = yield* lockVmas(state, h, folio, mode);
  // Who has locked the VMAs needs the table's lock no more, and a pin's walk takes it anew.
  if (mode === 'pin') leaveTable(h);
  return locked;
}

function* lockVmas(state: LazyState, h: LazyHold, folio: Folio, mode: Mode): Op<boolean> {
  const { options, services } = state;
  const { migrationLock, walkLock } = options;
  if (mode === 'read' ? walkLock !== 'vmaRead' : migrationLock === 'refOnly') return true;
  const first = services.folios.index(folio);
  const last = (first + services.folios.pages(folio) - 1) as typeof first;
  const vmas = mode !== 'read' && migrationLock === 'vmaReadRoot' ? [h.root] : yield* candidates(state, h.root, first, last);
  for (const vma of vmas) {
    if (!services.vmaRefs.tryReadLock(vma)) return false;
    h.locked.push(vma);
  }
  return true;
}

function leaveTable(h: LazyHold): void {
  if (h.lock !== null && h.exclusive) h.lock.writeUnlock();
  else h.lock?.readUnlock();
  h.lock = null;
}

/** Starts from a VMA. KSM keeps a reference on the root of a lazy one; collapse finds nothing to lock, but holds the VMA's own lock. */
export function* holdVma(state: LazyState, vma: Vma, mode: 'pin' | 'write'): Op<RmapHold> {
  const { anonVma, root } = state.vmas.of(vma);
  if (anonVma !== null) return yield* holdRegularVma(state, vma, mode);
  state.services.vmaRefs.tryGet(root!);
  const hold = state.holds.make(root!, 0);
  const h = state.holds.of(hold);
  if (mode === 'pin') {
    h.pin = true;
    state.vmas.of(root!).pins++;
  } else if (state.lockTable !== null) {
    h.lock = state.lockTable.of(state.ref(root!));
    h.exclusive = true;
    yield* h.lock.write();
  }
  return hold;
}

/** Ends a hold. */
export function* release(state: LazyState, hold: RmapHold): Op<void> {
  if (!isLazyHold(hold)) return yield* releaseRegular(state, hold);
  const { vmaRefs } = state.services;
  const h = state.holds.of(hold);
  for (let vma = h.locked.pop(); vma !== undefined; vma = h.locked.pop()) vmaRefs.readUnlock(vma);
  leaveTable(h);
  const { root, pin } = h;
  h.pin = false;
  state.holds.drop(hold);
  if (pin) {
    state.vmas.of(root).pins--;
    yield* letHeirsGo(state, root);
  }
  vmaRefs.put(root);
}

import { BUSY, type Folio, GONE, type Op, type RmapHold, type Vma } from '@rmap-lab/core';
import { type AnonVma, isAnonVma } from './anon-vma.js';
import type { State } from './state.js';

/** What a hold consists of: the root's lock for reading; a reference; a reference and the lock for writing. */
const READ = 1;
const PIN = 2;
const WRITE = 3;
type Mode = typeof READ | typeof PIN | typeof WRITE;

const holdOf = (anonVma: AnonVma, mode: Mode): RmapHold => anonVma.ref * 4 + mode;
/** The hold that one reference, taken already, is. */
export const pinOf = (anonVma: AnonVma): RmapHold => holdOf(anonVma, PIN);
/** The anon_vma that a hold is about. */
export const held = (state: State, hold: RmapHold): AnonVma => state.anonVmas.at(Math.floor(hold / 4));
/** Whether a walk under `hold` must lock for itself. */
export const isPin = (hold: RmapHold): boolean => hold % 4 === PIN;

/** Starts from a folio: GONE if it isn't mapped, BUSY if that can't be had without waiting and `wait` is false. */
export function holdFolio(state: State, folio: Folio, mode: 'pin' | 'read' | 'write', wait: boolean): Op<RmapHold> {
  return mode === 'read' ? lockRead(state, folio, wait) : holdToKeep(state, folio, mode, wait);
}

function* holdToKeep(state: State, folio: Folio, mode: 'pin' | 'write', wait: boolean): Op<RmapHold> {
  if (!wait) return yield* tryHold(state, folio, mode === 'pin' ? PIN : WRITE);
  const anonVma = yield* getAnonVma(state, folio);
  if (anonVma === null) return GONE;
  if (mode === 'pin') return holdOf(anonVma, PIN);
  yield* anonVma.root.rwsem.write();
  return holdOf(anonVma, WRITE);
}

/** Starts from a VMA that has an anon_vma and keeps it for the time of the call. */
export function* holdVma(state: State, vma: Vma, mode: 'pin' | 'write'): Op<RmapHold> {
  const anonVma = state.vmas.of(vma).anonVma!;
  anonVma.refcount++;
  if (mode === 'pin') return holdOf(anonVma, PIN);
  yield* anonVma.root.rwsem.write();
  return holdOf(anonVma, WRITE);
}

/** Ends a hold. */
export function* release(state: State, hold: RmapHold): Op<void> {
  const anonVma = held(state, hold);
  const mode = hold % 4;
  if (mode === READ) return anonVma.root.rwsem.readUnlock();
  if (mode === WRITE) anonVma.root.rwsem.writeUnlock();
  yield* state.anonVmas.put(anonVma);
}

/** Read-locks the family of a mapped folio (folio_lock_anon_vma_read). Sleeping takes a reference; the anchor may change meanwhile. */
function* lockRead(state: State, folio: Folio, wait: boolean): Op<RmapHold> {
  const { anonVmas, services } = state;
  for (;;) {
    const hold = yield* tryHold(state, folio, READ);
    if (hold !== BUSY || !wait) return hold;
    const anonVma = yield* getAnonVma(state, folio);
    if (anonVma === null) return GONE;
    const { rwsem } = anonVma.root;
    yield* rwsem.read();
    const same = (yield* services.folios.readAnchor(folio)) === anonVma.ref;
    const last = yield* anonVmas.drop(anonVma);
    if (same && !last) return holdOf(anonVma, READ);
    rwsem.readUnlock();
    if (last) yield* anonVmas.free(anonVma);
    if (same) return GONE;
  }
}

/**
 * Takes a hold without ever waiting. The anchor may be stale and what it names free or used anew: as long as the RCU
 * section lasts it stays an anon_vma with a lock, and once locked, a folio that is still mapped from the same anchor vouches
 * for it, as its last VMA can't be unlinked without that lock.
 */
function* tryHold(state: State, folio: Folio, mode: Mode): Op<RmapHold> {
  const { services } = state;
  const { folios, rcu } = services;
  for (;;) {
    rcu.readLock();
    const anchor = yield* folios.readAnchor(folio);
    if (!isAnonVma(anchor) || !(yield* folios.mapped(folio))) {
      rcu.readUnlock();
      return GONE;
    }
    const anonVma = state.anonVmas.at(anchor);
    const { rwsem } = yield* services.load(anonVma, 'root');
    if (!(mode === WRITE ? rwsem.tryWrite() : rwsem.tryRead())) {
      rcu.readUnlock();
      return BUSY;
    }
    const same = (yield* folios.readAnchor(folio)) === anchor;
    const valid = same && (yield* folios.mapped(folio));
    rcu.readUnlock();
    if (valid && mode !== READ) anonVma.refcount++;
    if (valid && mode !== PIN) return holdOf(anonVma, mode);
    if (mode === WRITE) rwsem.writeUnlock();
    else rwsem.readUnlock();
    if (valid) return holdOf(anonVma, mode);
    if (same) return GONE;
  }
}

/** A reference to the anon_vma of a mapped folio, or null (folio_get_anon_vma). */
function* getAnonVma(state: State, folio: Folio): Op<AnonVma | null> {
  const { anonVmas, services } = state;
  const { folios, rcu } = services;
  for (;;) {
    rcu.readLock();
    const anchor = yield* folios.readAnchor(folio);
    if (!isAnonVma(anchor) || !(yield* folios.mapped(folio))) {
      rcu.readUnlock();
      return null;
    }
    const anonVma = anonVmas.at(anchor);
    const got = yield* anonVmas.tryGet(anonVma);
    const mapped = yield* folios.mapped(folio);
    const same = (yield* folios.readAnchor(folio)) === anchor;
    rcu.readUnlock();
    if (got && mapped) return anonVma;
    if (got) yield* anonVmas.put(anonVma);
    // Freed under a folio that moved to another family: the new anchor is good.
    if (same || !mapped) return null;
  }
}

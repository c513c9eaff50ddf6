import { BUSY, type Folio, GONE, type Op, type RmapHold, type Vma } from '@rmap-lab/core';
import type { Context } from './context.js';
import type { State } from './state.js';

/** What a hold consists of: a reference of the folio's owner, and but for a pin its lock. */
const READ = 1;
const PIN = 2;
const WRITE = 3;

const holdOf = (context: Context, mode: number): RmapHold => context.ref * 4 + mode;
/** The context that a hold is about. */
export const held = (state: State, hold: RmapHold): Context => state.contexts.at(Math.floor(hold / 4));
/** Whether a walk under `hold` must lock for itself. */
export const isPin = (hold: RmapHold): boolean => hold % 4 === PIN;

/**
 * Starts from a folio: GONE if it isn't mapped, BUSY if that can't be had without waiting and `wait` is false. All walks of a
 * folio are under the lock of its owner, so whoever has that for writing keeps them out.
 */
export function* holdFolio(state: State, folio: Folio, mode: 'pin' | 'read' | 'write', wait: boolean): Op<RmapHold> {
  for (;;) {
    const owner = yield* getOwner(state, folio);
    if (owner === null) return GONE;
    if (mode === 'pin') return holdOf(owner, PIN);
    const { lock } = owner;
    const read = mode === 'read';
    if (!(read ? lock.tryRead() : lock.tryWrite())) {
      if (!wait) {
        yield* state.contexts.put(owner);
        return BUSY;
      }
      yield* read ? lock.read() : lock.write();
    }
    // It may have been given to a context below while we waited.
    if ((yield* state.services.folios.readAnchor(folio)) === owner.ref) return holdOf(owner, read ? READ : WRITE);
    if (read) lock.readUnlock();
    else lock.writeUnlock();
    yield* state.contexts.put(owner);
  }
}

/** Starts from a VMA: what its pages belong to is its context or above, and what forks carry away is below. */
export function* holdVma(state: State, vma: Vma, mode: 'pin' | 'write'): Op<RmapHold> {
  const context = state.contexts.of(vma.mm);
  context.refs++;
  if (mode === 'pin') return holdOf(context, PIN);
  yield* context.lock.write();
  return holdOf(context, WRITE);
}

/** Ends a hold. */
export function* release(state: State, hold: RmapHold): Op<void> {
  const context = held(state, hold);
  const mode = hold % 4;
  if (mode === READ) context.lock.readUnlock();
  if (mode === WRITE) context.lock.writeUnlock();
  yield* state.contexts.put(context);
}

/** The owner of a mapped folio with a reference, or null. A folio keeps its owner, so one without references was left by it. */
function* getOwner(state: State, folio: Folio): Op<Context | null> {
  const { folios, rcu } = state.services;
  for (;;) {
    rcu.readLock();
    const anchor = yield* folios.readAnchor(folio);
    if (anchor === 0 || !(yield* folios.mapped(folio))) {
      rcu.readUnlock();
      return null;
    }
    const owner = state.contexts.at(anchor);
    const got = yield* state.contexts.tryGet(owner);
    rcu.readUnlock();
    if (got) return owner;
  }
}

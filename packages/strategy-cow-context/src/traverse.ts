import type { Op } from '@rmap-lab/core';
import type { Context } from './context.js';
import type { Contexts } from './contexts.js';

/*
 * Walks down a family, from `top`. A walk has a reference of the context it is at and of each above it, up to but without `top`,
 * which its caller keeps; so none of them leaves the tree meanwhile.
 */

/** The context after `at` when each comes before those below it; null: that was the last. */
export function* nextParentFirst(contexts: Contexts, at: Context, top: Context): Op<Context | null> {
  let next = yield* contexts.firstChild(at);
  for (let from = at; next === null && from !== top; ) {
    const parent = from.parent as Context;
    next = yield* contexts.nextSibling(from);
    yield* contexts.put(from);
    from = parent;
  }
  return next;
}

/** The same when each but `top` comes after those below it. */
export function* nextChildrenFirst(contexts: Contexts, at: Context, top: Context): Op<Context | null> {
  if (at === top) {
    const lowest = yield* lowestFirst(contexts, top);
    return lowest === top ? null : lowest;
  }
  const parent = at.parent as Context;
  const sibling = yield* contexts.nextSibling(at);
  yield* contexts.put(at);
  if (sibling !== null) return yield* lowestFirst(contexts, sibling);
  return parent === top ? null : parent;
}

/** Ends a walk at `at`. */
export function* leave(contexts: Contexts, at: Context, top: Context): Op<void> {
  for (let from = at; from !== top; ) {
    const parent = from.parent as Context;
    yield* contexts.put(from);
    from = parent;
  }
}

function* lowestFirst(contexts: Contexts, from: Context): Op<Context> {
  let at = from;
  for (let child = yield* contexts.firstChild(at); child !== null; child = yield* contexts.firstChild(at)) at = child;
  return at;
}

import type { Cell, Mm, Op, Ref, RmapServices, SlabCache } from '@rmap-lab/core';
import type { Choices } from './choices.js';
import { Context, noLock } from './context.js';
import { insertOverwriting, insertSorted, Records } from './records.js';

/** x86-64 sizes: what the proof of concept declares, and with a rw_semaphore and a number more. */
const BYTES = { rcuOnly: 96, contextLock: 144 } as const;

/** Where contexts come from and go to, and how they form a tree. */
export class Contexts {
  private readonly cache: SlabCache<Context>;
  private readonly ofMm: Cell<Mm, { context: Context }>;
  /** Forks that have copied everything. */
  forks = 0;
  /** Every object that the slab ever handed out, free ones included: they have no references. */
  readonly memory: Context[] = [];

  constructor(
    private readonly services: RmapServices,
    private readonly choices: Choices,
  ) {
    const { walkLocking, remapPublish } = choices;
    const insert = remapPublish === 'replaceFirst' ? insertOverwriting : insertSorted;
    this.cache = services.slab('cow_context', {
      bytes: BYTES[walkLocking],
      marked: ['refs', 'born', 'mm', 'parent'],
      create: () => {
        const lock = walkLocking === 'rcuOnly' ? noLock(services) : services.rwsem('cow_context');
        const context = new Context(lock, services.spinlock('cow_children'), new Records(insert));
        this.memory.push(context);
        return context;
      },
    });
    this.ofMm = services.perMm(() => ({ context: null as unknown as Context }));
  }

  /** Gives `mm` a context, a root so far (mm_init). @throws NoMemory */
  *create(mm: Mm): Op<void> {
    const context = yield* this.cache.alloc();
    context.ref = this.cache.ref(context);
    context.mm = mm;
    context.parent = null;
    context.refs = 1;
    context.firstChild = context.next = context.prev = null;
    context.born = 0;
    this.ofMm.of(mm).context = context;
  }

  /** The context of a living address space. */
  of(mm: Mm): Context {
    return this.ofMm.of(mm).context;
  }

  /** The one that an anchor names. Inside an RCU section it may have lost its last reference. */
  at(anchor: number): Context {
    return this.cache.at(anchor as Ref<Context>);
  }

  /** Takes a reference unless the last one is gone; whether it did (refcount_inc_not_zero). */
  *tryGet(context: Context): Op<boolean> {
    if ((yield* this.services.load(context, 'refs')) === 0) return false;
    context.refs++;
    return true;
  }

  /** Drops a reference; frees the context with the last one, and then perhaps those above it. */
  *put(context: Context): Op<void> {
    for (let at: Context | null = context; at !== null; ) {
      yield* this.services.load(at, 'refs');
      at.refs--;
      if (at.refs === 0) at = yield* this.free(at);
      else {
        if (at.refs === 1 && at.mm === null && this.choices.compactDead) yield* this.takeOut(at);
        return;
      }
    }
  }

  /** Makes `child` a child of `parent`, before its other children. */
  *link(child: Context, parent: Context): Op<void> {
    child.parent = parent;
    parent.refs++;
    yield* parent.childLock.lock();
    child.next = parent.firstChild;
    if (child.next !== null) child.next.prev = child;
    parent.firstChild = child;
    parent.childLock.unlock();
  }

  /** The newest child, referenced, or null. */
  *firstChild(context: Context): Op<Context | null> {
    if ((yield* this.services.load(context, 'firstChild')) === null) return null;
    yield* context.childLock.lock();
    const child = referenced(context.firstChild);
    context.childLock.unlock();
    return child;
  }

  /** The next older child of the same parent, referenced, or null. The caller has references of both. */
  *nextSibling(context: Context): Op<Context | null> {
    const { childLock } = context.parent as Context;
    yield* childLock.lock();
    const sibling = referenced(context.next);
    childLock.unlock();
    return sibling;
  }

  /** The top of the family, alive or dead, referenced. */
  topmost(context: Context): Context {
    const { rcu } = this.services;
    rcu.readLock();
    let top = context;
    while (top.parent !== null) top = top.parent;
    top.refs++;
    rcu.readUnlock();
    return top;
  }

  /** Whether `context` is `other` or below it. */
  isBelow(context: Context, other: Context): boolean {
    const { rcu } = this.services;
    rcu.readLock();
    let at: Context | null = context;
    while (at !== null && at !== other) at = at.parent;
    rcu.readUnlock();
    return at !== null;
  }

  /** Frees one without references; the parent, whose reference is now the caller's to drop. */
  private *free(context: Context): Op<Context | null> {
    const { rcu } = this.services;
    rcu.readLock();
    let { parent } = context;
    while (parent !== null) {
      yield* parent.childLock.lock();
      const same = context.parent === parent;
      if (same) unlink(parent, context);
      parent.childLock.unlock();
      if (same) break;
      // It was taken out of the line meanwhile.
      parent = context.parent;
    }
    rcu.readUnlock();
    this.cache.freeRcu(context);
    return parent;
  }

  /**
   * Lets the only child of a dead context that owns nothing take its place, so that generations of processes that fork and exit
   * leave no line of them. A walk on its way holds a reference of each context above the one it is at, so it never notices.
   */
  private *takeOut(dead: Context): Op<void> {
    const { rcu } = this.services;
    rcu.readLock();
    const { parent } = dead;
    if (parent !== null) yield* parent.childLock.lock();
    yield* dead.childLock.lock();
    const child = dead.firstChild;
    const out = dead.parent === parent && dead.refs === 1 && child !== null && child.next === null;
    if (out) {
      child.parent = parent;
      dead.firstChild = null;
      dead.refs = 0;
      if (parent !== null) replace(parent, dead, child);
    }
    dead.childLock.unlock();
    if (parent !== null) parent.childLock.unlock();
    rcu.readUnlock();
    if (out) this.cache.freeRcu(dead);
  }
}

/** The first of the line from `context` on that is not about to be freed, with a reference. */
function referenced(context: Context | null): Context | null {
  let at = context;
  while (at !== null && at.refs === 0) at = at.next;
  if (at !== null) at.refs++;
  return at;
}

function unlink(parent: Context, child: Context): void {
  if (child.prev === null) parent.firstChild = child.next;
  else child.prev.next = child.next;
  if (child.next !== null) child.next.prev = child.prev;
}

function replace(parent: Context, old: Context, by: Context): void {
  by.prev = old.prev;
  by.next = old.next;
  if (by.prev === null) parent.firstChild = by;
  else by.prev.next = by;
  if (by.next !== null) by.next.prev = by;
}

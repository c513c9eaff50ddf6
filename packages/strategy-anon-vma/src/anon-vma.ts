import { andThen, type Op, type Ref, type RmapServices, type RwSem, type SlabCache } from '@rmap-lab/core';
import type { AnonVmaChain } from './anon-vma-chain.js';
import { IntervalTree } from './interval-tree.js';

/**
 * What VMAs that may map the same anonymous pages are linked to (struct anon_vma): the interval tree of those links, a
 * place in a family, and, used in the root of a family only, the lock of all its trees.
 */
export class AnonVma extends IntervalTree<AnonVmaChain> {
  /** The word that leads here from a folio's anchor. */
  ref = 0 as Ref<AnonVma>;
  root: AnonVma = this;
  /** The one that was active in the VMA forked from; a root is its own. */
  parent: AnonVma = this;
  /** One while anything is or was linked, one in a root for each other member of its family, and one for each pin. */
  refcount = 0;
  /** How many name this as `parent`; a root counts itself. */
  numChildren = 0;
  /** How many VMAs put their new pages here. */
  numActiveVmas = 0;
  constructor(readonly rwsem: RwSem) {
    super();
  }
}

/** Anchors from here on name no anon_vma: a design built on this one may mean something else by them. */
export const FOREIGN = 2 ** 30;

/** Whether an anchor names an anon_vma. */
export const isAnonVma = (anchor: number): boolean => anchor !== 0 && anchor < FOREIGN;

/** A count, and what is there before anybody knows of the object and never changes while one does. */
const MARKED = ['refcount', 'root', 'ref'];

/** Where anon_vmas come from and go to. */
export class AnonVmas {
  /** Every object that the slab ever handed out, free ones included: they have no references. */
  readonly memory: AnonVma[] = [];
  private readonly cache: SlabCache<AnonVma>;

  constructor(private readonly services: RmapServices) {
    const create = (): AnonVma => {
      const anonVma = new AnonVma(services.rwsem('anon_vma'));
      this.memory.push(anonVma);
      return anonVma;
    };
    this.cache = services.slab('anon_vma', { bytes: 104, create, typesafeByRcu: true, marked: MARKED });
  }

  /** A new one with one reference, the root of a family without members (anon_vma_alloc). @throws NoMemory */
  alloc(): Op<AnonVma> {
    return andThen(this.cache.alloc(), (anonVma) => this.fresh(anonVma));
  }

  private fresh(anonVma: AnonVma): AnonVma {
    anonVma.ref = this.cache.ref(anonVma);
    anonVma.root = anonVma;
    anonVma.parent = anonVma;
    anonVma.refcount = 1;
    anonVma.numChildren = 0;
    anonVma.numActiveVmas = 0;
    return anonVma;
  }

  /** The one that an anchor names. Inside an RCU section it may be free or somebody else's by now. */
  at(anchor: number): AnonVma {
    return this.cache.at(anchor as Ref<AnonVma>);
  }

  /** Takes a reference unless the last one is gone; whether it did (atomic_inc_not_zero). */
  *tryGet(anonVma: AnonVma): Op<boolean> {
    if ((yield* this.services.load(anonVma, 'refcount')) === 0) return false;
    anonVma.refcount++;
    return true;
  }

  /** Drops a reference; whether it was the last (atomic_dec_and_test). */
  drop(anonVma: AnonVma): Op<boolean> {
    return andThen(this.services.load(anonVma, 'refcount'), () => --anonVma.refcount === 0);
  }

  /** Drops a reference and frees what nobody needs any more (put_anon_vma). */
  *put(anonVma: AnonVma): Op<void> {
    if (yield* this.drop(anonVma)) yield* this.free(anonVma);
  }

  /** Frees one whose last reference is gone, and its root if that only waited for it (__put_anon_vma). */
  *free(anonVma: AnonVma): Op<void> {
    const { root } = anonVma;
    yield* this.freeOne(anonVma);
    if (root !== anonVma && (yield* this.drop(root))) yield* this.freeOne(root);
  }

  /** A reader may have locked the root on the strength of a stale anchor: let it leave first (anon_vma_free). */
  private freeOne(anonVma: AnonVma): Op<void> {
    return andThen(anonVma.root.rwsem.drain(), () => this.cache.free(anonVma));
  }
}

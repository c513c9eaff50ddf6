import { UseAfterFree } from '../errors.js';
import type { SlabCache } from '../rmap/contract.js';
import { COUNTERS } from '../sync/counters.js';
import { mightSleep } from '../sync/lock.js';
import { type Op, ready } from '../sync/op.js';
import type { Rcu } from '../sync/rcu.js';
import type { Sync } from '../sync/task.js';
import type { Ref } from '../units.js';
import type { AllocFailure } from './alloc-failure.js';
import { FreeSlots } from './free-slots.js';
import { Guard, SLOT } from './guard.js';

/** How one cache's objects are made and counted. */
export interface SlabOptions<T extends object> {
  readonly bytes: number;
  readonly create: () => T;
  /** Objects keep their type through a grace period but may be handed on at once (SLAB_TYPESAFE_BY_RCU). */
  readonly typesafeByRcu?: boolean;
  /** Fields of which every access is a marked one (refcount_t, READ_ONCE and WRITE_ONCE). */
  readonly marked?: readonly string[];
  /** A strategy's: type-safe objects are guarded, too. Core's own are not, as each access would cost. */
  readonly foreign?: boolean;
}

/** What every cache of a machine shares. */
export interface SlabWorld {
  readonly sync: Sync;
  readonly rcu: Rcu;
  readonly failure: AllocFailure;
  /** Checked mode: every access after a free is caught, and no slot is used twice. */
  readonly checked: boolean;
}

interface Slotted {
  [SLOT]: number;
}

/** The slot number of an object that came from a slab cache. */
export const slotOf = (object: object): number => (object as Slotted)[SLOT];

/** A cache of objects of one kind (kmem_cache): lowest free slot first, and the JavaScript object is the slab's memory. */
export class Slab<T extends object> implements SlabCache<T> {
  static readonly [COUNTERS] = ['live', 'peak', 'allocated'];
  live = 0;
  peak = 0;
  allocated = 0;
  private readonly memory: T[] = [];
  private readonly inUse: boolean[] = [];
  private readonly slots = new FreeSlots();
  private readonly guard: Guard;
  private readonly guarded: boolean;

  constructor(
    private readonly world: SlabWorld,
    readonly name: string,
    private readonly options: SlabOptions<T>,
  ) {
    const { typesafeByRcu = false, marked = [], foreign = false } = options;
    this.guard = new Guard(name, world.sync, this.inUse, typesafeByRcu, marked);
    this.guarded = world.checked && (foreign || !typesafeByRcu);
  }

  /** Bytes of one object. */
  get objectBytes(): number {
    return this.options.bytes;
  }

  alloc(): Op<T> {
    mightSleep(this.world.sync, this.name, 'allocation of ');
    const { watch, current } = this.world.sync;
    // An allocation may reclaim, as if that were a lock taken and dropped.
    watch?.acquired(current, 'reclaim', this, 0, true, false);
    watch?.released(current, this, 0, true);
    if (this.world.sync.stepping) return this.allocStepping();
    this.world.failure.check(this.name);
    return ready(this.take());
  }

  tryAlloc(): T | null {
    return this.world.failure.fails() ? null : this.take();
  }

  free(object: T): void {
    this.giveBack(object);
    if (this.guarded) this.guard.tellFreed(object, slotOf(object));
  }

  freeRcu(object: T): void {
    if (this.world.rcu.idle) this.giveBack(object);
    else this.world.rcu.call(() => this.giveBack(object));
  }

  ref(object: T): Ref<T> {
    return (slotOf(object) + 1) as Ref<T>;
  }

  at(ref: Ref<T>): T {
    const slot = ref - 1;
    const reading = this.options.typesafeByRcu && this.world.sync.current.rcuDepth > 0;
    if (!this.inUse[slot] && !reading)
      throw new UseAfterFree(this.name, `reference ${ref} names an object that is not allocated`);
    return this.memory[slot];
  }

  /** Visits every allocated object, by slot. */
  forEach(fn: (object: T) => void): void {
    for (let slot = 0; slot < this.memory.length; slot++) if (this.inUse[slot]) fn(this.memory[slot]);
  }

  private giveBack(object: T): void {
    const slot = slotOf(object);
    if (this.memory[slot] !== object) throw new UseAfterFree(this.name, 'what is freed is no object of this cache');
    if (!this.inUse[slot]) throw new UseAfterFree(this.name, `object ${slot} is freed twice`);
    this.inUse[slot] = false;
    this.live--;
    if (!this.world.checked || this.options.typesafeByRcu) this.slots.put(slot);
  }

  private *allocStepping(): Op<T> {
    yield { kind: 'alloc', object: this, label: this.name };
    this.world.failure.check(this.name);
    return this.take();
  }

  private take(): T {
    const slot = this.slots.take();
    const fresh = slot === this.memory.length;
    if (fresh) {
      const object = this.options.create();
      (object as unknown as Slotted)[SLOT] = slot;
      this.memory.push(object);
      this.inUse.push(true);
    }
    this.inUse[slot] = true;
    if (this.guarded && (fresh || !this.options.typesafeByRcu)) {
      this.memory[slot] = this.guard.around(this.memory[slot], slot);
    }
    this.allocated++;
    if (++this.live > this.peak) this.peak = this.live;
    return this.memory[slot];
  }
}

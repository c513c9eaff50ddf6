import { messageOf } from '../errors.js';
import { maybeMappedShared, totalMapcount } from '../folio/mapcount.js';
import type { Machine } from '../machine.js';
import { readUnlock, tryReadLock } from '../mm/vma-lock.js';
import { eachSpan } from '../page-table/each-span.js';
import { slotOf } from '../slab/slab-cache.js';
import { RwSemaphore, Spinlock } from '../sync/lock.js';
import { type Op, READY, ready } from '../sync/op.js';
import type { Sync } from '../sync/task.js';
import type { Address, Folio, Pfn, Pgoff, Ref } from '../units.js';
import { putVma } from '../vma/alloc.js';
import { VM_ACCESS_FLAGS, VM_STICKY } from '../vma/vm-flags.js';
import type { VmArea } from '../vma/vma.js';
import type { Cell, FolioView, LockClass, Mm, PteSpan, RmapServices, RwSem, SlabCache, SpinLock, Vma } from './contract.js';

/** What core gives a strategy; every call is counted and failure-injected here, not in the strategy. */
export class Services implements RmapServices {
  readonly folios: FolioView;
  readonly rcu: RmapServices['rcu'];
  readonly vmaRefs: RmapServices['vmaRefs'];

  constructor(
    private readonly m: Machine,
    private readonly classes: readonly LockClass[],
  ) {
    this.folios = new Folios(m);
    this.rcu = m.rcu;
    this.vmaRefs = {
      tryGet: (vma) => (vma as VmArea).refs > 0 && ++(vma as VmArea).refs > 0,
      put: (vma) => putVma(m, vma as VmArea),
      ref: (vma) => m.vmas.ref(vma as VmArea) as Ref<Vma>,
      at: (ref) => m.vmas.at(ref as Ref<VmArea>),
      tryReadLock: (vma) => (vma as VmArea).attached && tryReadLock(m, vma as VmArea),
      readUnlock: (vma) => readUnlock(m, vma as VmArea),
    };
  }

  slab<T extends object>(
    name: string,
    options: { bytes: number; create: () => T; typesafeByRcu?: boolean; marked?: readonly string[] },
  ): SlabCache<T> {
    return this.m.slab(name, { ...options, foreign: true });
  }

  rwsem(lockClass: string): RwSem {
    return new RwSemaphore(this.m.sync, this.m.lockStats(this.declared(lockClass, 'rwsem')));
  }

  spinlock(lockClass: string): SpinLock {
    return new Spinlock(this.m.sync, this.m.lockStats(this.declared(lockClass, 'spin')));
  }

  load<O extends object, K extends keyof O>(object: O, key: K): Op<O[K]> {
    return this.m.sync.stepping ? loadStepping(this.m.sync, object, key) : ready(object[key]);
  }

  store<O extends object, K extends keyof O>(object: O, key: K, value: O[K]): Op<void> {
    if (this.m.sync.stepping) return storeStepping(this.m.sync, object, key, value);
    object[key] = value;
    return READY;
  }

  perVma<T>(create: (vma: Vma) => T): Cell<Vma, T> {
    return new SlotCell(create);
  }

  perMm<T>(create: (mm: Mm) => T): Cell<Mm, T> {
    return new SlotCell(create);
  }

  mms(): Op<readonly Mm[]> {
    return ready([...this.m.mms.values()]);
  }

  couldShare(left: Vma, right: Vma): boolean {
    const a = left as VmArea;
    const b = right as VmArea;
    return (
      a.end === b.start &&
      a.file === b.file &&
      ((a.flags ^ b.flags) & ~(VM_ACCESS_FLAGS | VM_STICKY)) === 0 &&
      b.pgoff === a.pgoff + a.pages &&
      b.anonPgoff === a.anonPgoff + a.pages
    );
  }

  addressIn(vma: Vma, first: Pgoff, last: Pgoff): Address | null {
    const pages = (vma.end - vma.start) / 4096;
    if (last < vma.anonPgoff || first >= vma.anonPgoff + pages) return null;
    return (vma.start + Math.max(0, first - vma.anonPgoff) * 4096) as Address;
  }

  eachSpan(vma: Vma, look: (span: PteSpan) => void): Op<void> {
    return eachSpan(this.m, vma as VmArea, look);
  }

  count(primitive: string, n = 1): void {
    this.m.count(primitive, n);
  }

  private declared(name: string, kind: LockClass['kind']): string {
    const declared = this.classes.filter((c) => c.name === name);
    if (declared.some((c) => c.kind === kind)) return name;
    const [what, remedy] =
      declared.length === 0 ? ['not declared', 'add it to'] : [`declared as '${declared[0].kind}'`, 'change that in'];
    throw new RangeError(`lock class '${name}' (${kind}) is ${what}: ${remedy} the strategy's 'locks'`);
  }
}

function* loadStepping<O extends object, K extends keyof O>(sync: Sync, object: O, key: K): Op<O[K]> {
  yield { kind: 'load', object, label: String(key) };
  sync.marking = true;
  try {
    sync.watch?.marked(sync.current, object, key, false);
    return object[key];
  } finally {
    sync.marking = false;
  }
}

function* storeStepping<O extends object, K extends keyof O>(sync: Sync, object: O, key: K, value: O[K]): Op<void> {
  yield { kind: 'store', object, label: String(key) };
  sync.marking = true;
  try {
    sync.watch?.marked(sync.current, object, key, true);
    object[key] = value;
  } finally {
    sync.marking = false;
  }
}

/** A strategy's own fields of slab objects: one value an incarnation, found by slot. */
class SlotCell<K extends Vma | Mm, T> implements Cell<K, T> {
  private readonly ids: number[] = [];
  private readonly values: T[] = [];
  constructor(private readonly create: (key: K) => T) {}

  of(key: K): T {
    const slot = slotOf(key);
    if (this.ids[slot] === key.id) return this.values[slot];
    while (this.ids.length <= slot) {
      this.ids.push(0);
      this.values.push(undefined as T);
    }
    this.ids[slot] = key.id;
    this.values[slot] = this.create(key);
    return this.values[slot];
  }
}

/** The columns of `mem_map` that a strategy may see. */
class Folios implements FolioView {
  constructor(private readonly m: Machine) {}

  anchor(folio: Folio): number {
    return this.m.mem.anchor[folio];
  }

  readAnchor(folio: Folio): Op<number> {
    return this.m.sync.stepping ? this.readAnchorStepping(folio) : ready(this.m.mem.anchor[folio]);
  }

  /** A folio that had another anchor is rewritten: counted here, so that it means the same under every strategy. */
  setAnchor(folio: Folio, word: number): void {
    const { anchor } = this.m.mem;
    if (anchor[folio] !== 0 && anchor[folio] !== word) this.m.count('folio-rewritten');
    anchor[folio] = word;
    if (anchor[folio] !== word) throw new RangeError(`an anchor is a whole number below 2^31, ${messageOf(word)} is none`);
  }

  mapped(folio: Folio): Op<boolean> {
    return this.m.sync.stepping ? this.mappedStepping(folio) : ready(totalMapcount(this.m.mem, folio) > 0);
  }

  maybeMappedShared(folio: Folio): Op<boolean> {
    return this.m.sync.stepping ? this.maybeMappedSharedStepping(folio) : ready(maybeMappedShared(this.m.mem, folio));
  }

  of(page: Pfn): Folio {
    return this.m.mem.folioOf(page);
  }

  index(folio: Folio): Pgoff {
    return this.m.mem.index[folio] as Pgoff;
  }

  pages(folio: Folio): number {
    return this.m.mem.pages(folio);
  }

  private *readAnchorStepping(folio: Folio): Op<number> {
    yield { kind: 'load', object: this.m.mem, label: `anchor of folio ${folio}` };
    return this.m.mem.anchor[folio];
  }

  private *mappedStepping(folio: Folio): Op<boolean> {
    yield { kind: 'load', object: this.m.mem, label: `mapcount of folio ${folio}` };
    return totalMapcount(this.m.mem, folio) > 0;
  }

  private *maybeMappedSharedStepping(folio: Folio): Op<boolean> {
    yield { kind: 'load', object: this.m.mem, label: `mapcount of folio ${folio}` };
    return maybeMappedShared(this.m.mem, folio);
  }
}

import type { ThpOptions } from './fault/thp.js';
import { FolioLocks } from './folio/folio-lock.js';
import { MemMap, PMD_ORDER } from './folio/mem-map.js';
import { FileMapping } from './folio/page-cache.js';
import { Mm } from './mm/mm.js';
import { PageTables } from './page-table/page-table.js';
import { PageTableLocks } from './page-table/ptl.js';
import { LeafSpan } from './page-table/span.js';
import { KsmState } from './reclaim/ksm-state.js';
import type { Migration } from './reclaim/migrate.js';
import { SwapArea } from './reclaim/swap.js';
import type { Rmap } from './rmap/contract.js';
import { AllocFailure } from './slab/alloc-failure.js';
import { bytesIn, type Layout, LINUX_6_18 } from './slab/layout.js';
import { Slab, type SlabOptions, type SlabWorld } from './slab/slab-cache.js';
import { COUNTERS } from './sync/counters.js';
import { LockStats } from './sync/lock.js';
import type { Op } from './sync/op.js';
import { Rcu } from './sync/rcu.js';
import { Sync } from './sync/task.js';
import { type Address, type Folio, PAGE_SIZE } from './units.js';
import { VmArea } from './vma/vma.js';

/** What an operation of the machine may assume about its surroundings; the options of a kernel, filled in. */
export interface MachineOptions {
  readonly stepping: boolean;
  readonly checked: boolean;
  readonly fastFault: boolean;
  readonly failAllocation: number;
  /** `file`: private file pages are keyed by file offset (6.18). `own`: by an offset of their own (7.3). */
  readonly anonOffset: 'file' | 'own';
  readonly maxMapCount: number;
  readonly stackLimit: number;
  /** Physical memory in bytes. */
  readonly memory: number;
  /** Swap space in bytes. */
  readonly swap: number;
  readonly layout: Layout;
  readonly startBrk: Address;
  /** Orders of large folios for first touches. */
  readonly thp: ThpOptions;
}

/** Everything one kernel consists of, as its operations see it. */
export class Machine {
  static readonly [COUNTERS] = ['counts', 'elsewhere', 'walkPasses'];
  readonly sync: Sync;
  readonly rcu: Rcu;
  readonly failure: AllocFailure;
  readonly tables: PageTables;
  readonly mem: MemMap;
  readonly ptl: PageTableLocks;
  readonly folioLock: FolioLocks;
  readonly vmaLock: LockStats;
  readonly iMmapLock: LockStats;
  readonly slabs = new Map<string, Slab<object>>();
  readonly locks = new Map<string, LockStats>();
  /** Primitives that strategies and core counted: tree nodes, candidates, rewritten folios. */
  counts = new Map<string, number>();
  /** What was counted while nobody was to count. */
  private readonly elsewhere = new Map<string, number>();
  readonly vmas: Slab<VmArea>;
  readonly mmSlab: Slab<Mm>;
  /** Address spaces by id, in order of creation, from mmInit to mmExit. */
  readonly mms = new Map<number, Mm>();
  readonly files: FileMapping[] = [];
  private readonly oneSpan: LeafSpan;
  private readonly oneFromSpan: LeafSpan;
  /** The strategy at work; set once, right after the machine was made. */
  rmap!: Rmap;
  /** Whether the first fault of a VMA must hold mmap_lock (`prepareUnder`). */
  prepareNeedsMmapLock = true;
  /** Large folios that are mapped in part only: what memory pressure splits first (deferred_split_queue). */
  readonly deferredSplit = new Set<Folio>();
  readonly swap: SwapArea;
  /** Migrations under way, by the folio that leaves. */
  readonly migrations = new Map<Folio, Migration>();
  /** Ends them all. Set once, right after the machine was made. */
  endMigrations!: () => Op<unknown>;
  readonly ksm = new KsmState();
  /** Walks of KSM pages start from pinned VMAs (`RmapStrategy.ksm`), not from the page's own anchor. */
  ksmByAnchors = true;
  /** VMAs that are unmapped but kept by a strategy's references. */
  zombies = 0;
  /** Passes of walks so far. */
  walkPasses = 0;
  /** Number of the last write, or of the last page read from a file; see `MemMap.version`. */
  writes = 0;
  /** Work that a strategy left to a worker: run when the operation that made it is over. */
  readonly deferred: (() => Op<void>)[] = [];
  /** Whether a first touch may take a large folio of less than PMD size: then it takes more than `touchFast` does. */
  readonly largeFaults: boolean;
  private nextVma = 1;
  private nextMm = 1;

  constructor(readonly options: MachineOptions) {
    this.largeFaults = Object.entries(options.thp.orders).some(([order, mode]) => Number(order) < PMD_ORDER && mode !== 'never');
    this.sync = new Sync(options.stepping);
    this.rcu = new Rcu(this.sync);
    this.failure = new AllocFailure(options.failAllocation);
    this.tables = new PageTables(this.failure);
    this.mem = new MemMap(this.failure, Math.floor(options.memory / PAGE_SIZE));
    this.swap = new SwapArea(Math.floor(options.swap / PAGE_SIZE));
    this.ptl = new PageTableLocks(this.sync, this.lockStats('ptl'));
    this.folioLock = new FolioLocks(this.sync, this.mem, this.lockStats('folio'));
    this.vmaLock = this.lockStats('vma');
    this.iMmapLock = this.lockStats('i_mmap');
    this.vmas = this.slab('vm_area_struct', {
      bytes: LINUX_6_18.vm_area_struct,
      create: () => new VmArea(),
      typesafeByRcu: true,
    });
    this.mmSlab = this.slab('mm_struct', { bytes: LINUX_6_18.mm_struct, create: () => new Mm(this), typesafeByRcu: true });
    this.oneSpan = new LeafSpan(this);
    this.oneFromSpan = new LeafSpan(this);
  }

  /** A span to hand to a hook. Sequentially the same for every call; a hook that steps keeps it while other threads run. */
  get span(): LeafSpan {
    return this.sync.stepping ? new LeafSpan(this) : this.oneSpan;
  }

  /** A second one, for what is moved or copied. */
  get fromSpan(): LeafSpan {
    return this.sync.stepping ? new LeafSpan(this) : this.oneFromSpan;
  }

  /** The counters of a lock class, made at first use. */
  lockStats(name: string): LockStats {
    let stats = this.locks.get(name);
    if (stats === undefined) {
      stats = new LockStats(name);
      this.locks.set(name, stats);
    }
    return stats;
  }

  /** A slab cache of its own name. @throws RangeError when the name is taken */
  slab<T extends object>(name: string, options: SlabOptions<T>): Slab<T> {
    if (this.slabs.has(name))
      throw new RangeError(`slab cache '${name}' exists already; give each kind of object a name of its own`);
    const world: SlabWorld = { sync: this.sync, rcu: this.rcu, failure: this.failure, checked: this.options.checked };
    const cache = new Slab<T>(world, name, { ...options, bytes: bytesIn(this.options.layout, name, options.bytes) });
    this.slabs.set(name, cache as unknown as Slab<object>);
    return cache;
  }

  /** Runs `look`, and forgets the locks and primitives that it counted: looking is not part of what a workload costs. */
  uncounted<T>(look: () => T): T {
    const { counts } = this;
    if (counts === this.elsewhere) return look();
    this.counts = this.elsewhere;
    for (const stats of this.locks.values()) stats.save();
    try {
      return look();
    } finally {
      this.counts = counts;
      for (const stats of this.locks.values()) stats.restore();
    }
  }

  count(primitive: string, n = 1): void {
    this.counts.set(primitive, (this.counts.get(primitive) ?? 0) + n);
  }

  /** A file to map; its number is its place in `files`. */
  addFile(name: string, sizeInPages: number, shmem: boolean, sparse = false): FileMapping {
    const file = new FileMapping(this.files.length, name, sizeInPages, shmem, sparse);
    this.files.push(file);
    return file;
  }

  newVmaId(): number {
    return this.nextVma++;
  }

  newMmId(): number {
    return this.nextMm++;
  }
}

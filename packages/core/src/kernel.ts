import { ContractViolation, KernelError, Unsupported } from './errors.js';
import { DEFAULT_THP } from './fault/thp.js';
import { putPage } from './folio/free.js';
import { totalMapcount } from './folio/mapcount.js';
import { ANON } from './folio/mem-map.js';
import type { FileMapping } from './folio/page-cache.js';
import { splitDeferred, splitFolio } from './folio/split.js';
import type { FoundMapping, KernelOps, SplitRequest, WalkResult } from './kernel-ops.js';
import { Machine } from './machine.js';
import { newMm } from './mm/init.js';
import type { KernelOptions } from './options.js';
import { Process } from './process.js';
import { khugepagedScan } from './reclaim/collapse.js';
import { ksmScan } from './reclaim/ksm.js';
import { ksmUnmerge } from './reclaim/ksm-break.js';
import { migrateFolio, parkMigration, resumeMigration, startMigration } from './reclaim/migrate.js';
import { type Reclaim, reclaimFolio } from './reclaim/reclaim.js';
import { swapOff } from './reclaim/swapoff.js';
import type { Feature, ObjectGraph } from './rmap/contract.js';
import { drawAddressSpaces } from './rmap/draw.js';
import { mappingsOf } from './rmap/ground-truth.js';
import { makeRmap } from './rmap/make.js';
import { collectVictims } from './rmap/memory-failure.js';
import { idle } from './rmap/page-idle.js';
import { type Referenced, referenced } from './rmap/referenced.js';
import { Services } from './rmap/services.js';
import { check, type VerifyReport } from './rmap/verify.js';
import { ChangeVerifier } from './rmap/verify-changes.js';
import { walkFolio } from './rmap/walk.js';
import { LINUX_6_18 } from './slab/layout.js';
import { type KernelStats, statsOf } from './stats.js';
import { type Op, run, runAlone } from './sync/op.js';
import type { Task } from './sync/task.js';
import type { Watch } from './sync/watch.js';
import { type Address, type Folio, GiB, MiB, type Pfn } from './units.js';

/** One machine: physical memory, processes, and a reverse-map strategy. Nothing is shared between two kernels. */
export class Kernel {
  /** The same calls as operations, for a scheduler (`stepping: true`). */
  readonly op: KernelOps;
  private readonly machine: Machine;
  private readonly processList: Process[] = [];
  private nextProcess = 1;
  private changes: ChangeVerifier | null = null;

  private readonly unsupported: Readonly<Partial<Record<Feature, string>>>;

  constructor(options: KernelOptions) {
    const { strategy } = options;
    if (strategy.contract !== 1) {
      throw new ContractViolation(
        'R3',
        strategy.name,
        'new Kernel',
        `it speaks contract ${strategy.contract}, this core speaks 1`,
      );
    }
    const stepping = options.stepping ?? false;
    this.machine = new Machine({
      stepping,
      checked: options.checked ?? false,
      fastFault: (options.fastFault ?? true) && !stepping,
      failAllocation: options.failAllocation ?? 0,
      anonOffset: options.anonOffset ?? 'file',
      maxMapCount: options.maxMapCount ?? 65530,
      stackLimit: options.stackLimit ?? 8 * MiB,
      memory: options.memory ?? 64 * GiB,
      swap: options.swap ?? 64 * GiB,
      layout: options.layout ?? LINUX_6_18,
      thp: { ...DEFAULT_THP, ...options.thp },
      startBrk: 0x555555600000 as Address,
    });
    this.machine.ksmByAnchors = strategy.ksm === 'anchors';
    this.unsupported = strategy.unsupported ?? {};
    if (options.thp !== undefined) this.mustSupport('large-folio');
    this.machine.prepareNeedsMmapLock = strategy.prepareUnder === 'mmap-lock';
    this.machine.endMigrations = () => this.finishMigrationsOp();
    this.machine.rmap = makeRmap(strategy, new Services(this.machine, strategy.locks));
    this.op = {
      spawn: () => this.spawnOp(),
      walk: (folio) => this.walkOp(folio),
      referenced: (folio) => referenced(this.machine, folio),
      idle: (folio) => idle(this.machine, folio),
      victims: (page) => this.victimsOp(page),
      reclaim: (folio) => this.reclaimOp(folio),
      swapOff: () => this.swapOffOp(),
      migrate: (folio) => this.migrateOp(folio),
      startMigration: (folio) => this.startMigrationOp(folio),
      finishMigrations: () => this.finishMigrationsOp(),
      splitFolio: (folio, request = {}) => this.splitOp(folio, request),
      khugepagedScan: () => this.khugepagedOp(),
      ksmScan: () => this.ksmOp(ksmScan(this.machine)),
      ksmUnmerge: () => this.ksmOp(ksmUnmerge(this.machine)),
      splitDeferred: () => this.splitDeferredOp(),
    };
  }

  /** Processes that have not exited, in order of creation. */
  get processes(): readonly Process[] {
    return this.processList;
  }

  /** The task that runs, and what it holds. */
  get running(): Task {
    return this.machine.sync.current;
  }

  /** Unmapped VMAs that the strategy keeps. */
  get zombies(): number {
    return this.machine.zombies;
  }

  /** Migrations under way: their entries wait for the second half. */
  get migrations(): number {
    return this.machine.migrations.size;
  }

  /** Allocations asked for so far: what `failAllocation` counts. */
  get allocations(): number {
    return this.machine.failure.count;
  }

  /** The n-th allocation from now on fails, and so do those that follow, `times` in all; 0: none. */
  failNextAllocation(n: number, times = 1): void {
    this.machine.failure.plan(n, times);
  }

  /** A process with an empty address space. @throws NoMemory */
  spawn(): Process {
    return this.run(this.op.spawn());
  }

  /** A file to map, `sizeInPages` long. */
  file(name = 'file', sizeInPages: number = Number.POSITIVE_INFINITY): FileMapping {
    return this.machine.addFile(name, sizeInPages, false);
  }

  /** A file of shared memory to map (memfd_create), `sizeInPages` long and written throughout. */
  memfd(name = 'memfd', sizeInPages: number = Number.POSITIVE_INFINITY): FileMapping {
    return this.machine.addFile(name, sizeInPages, true);
  }

  /** Finds every entry that maps `folio`, by the strategy. */
  walk(folio: Folio): WalkResult {
    return this.run(this.op.walk(folio));
  }

  /** Runs `look`, for instance some walks, without counting its locks and primitives. */
  uncounted<T>(look: () => T): T {
    return this.machine.uncounted(look);
  }

  /** Counts and clears the accessed bits of a folio's entries. */
  referenced(folio: Folio): Referenced {
    return this.run(this.op.referenced(folio));
  }

  /** Whether nobody used a folio since this was last asked (page idle tracking); null: somebody has it. */
  idle(folio: Folio): boolean | null {
    return this.run(this.op.idle(folio));
  }

  /** Whom a broken page is mapped by, and where (memory failure): one process for each address space. */
  victims(page: Pfn): FoundMapping[] {
    return this.run(this.op.victims(page));
  }

  /** Evicts a folio, shared or not: to swap, or for nothing where it is lazily freeable. @throws Unsupported */
  reclaim(folio: Folio): Reclaim {
    return this.run(this.op.reclaim(folio));
  }

  /** Brings everything back from swap. @throws ENOMEM, what was brought back stays; Unsupported */
  swapOff(): void {
    this.run(this.op.swapOff());
  }

  /** Moves a folio to another place in memory; its new number, or null: it could not be moved. @throws Unsupported */
  migrate(folio: Folio): Folio | null {
    return this.run(this.op.migrate(folio));
  }

  /** The first half of {@link migrate}: entries become migration entries. Other operations may follow; a fault that meets one ends it. */
  startMigration(folio: Folio): boolean {
    return this.run(this.op.startMigration(folio));
  }

  /** The second half of every migration under way; how many folios moved. */
  finishMigrations(): number {
    return this.run(this.op.finishMigrations());
  }

  /** Cuts a large folio: into folios of 2^order pages, or only around one page. Whether it could be. */
  splitFolio(folio: Folio, request: SplitRequest = {}): boolean {
    return this.run(this.op.splitFolio(folio, request));
  }

  /** One pass of KSM over memory marked MADV_MERGEABLE; how many pages became mappings of another. @throws Unsupported */
  ksmScan(): number {
    return this.run(this.op.ksmScan());
  }

  /** Gives all pages of KSM back as copies. @throws NoMemory, Unsupported */
  ksmUnmerge(): void {
    this.run(this.op.ksmUnmerge());
  }

  /** One pass of khugepaged over memory that asks for large folios; how many ranges it collapsed. @throws NoMemory, Unsupported */
  khugepagedScan(): number {
    return this.run(this.op.khugepagedScan());
  }

  /** Splits the folios that are mapped in part, as memory pressure does; how many. */
  splitDeferred(): number {
    return this.run(this.op.splitDeferred());
  }

  /** Every mapped anonymous folio, by frame number. */
  *folios(): Generator<Folio> {
    const { mem } = this.machine;
    for (let pfn = 1; pfn < mem.used; pfn++) {
      const folio = pfn as number as Folio;
      if ((mem.flags[pfn] & ANON) !== 0 && mem.folioOf(pfn as Pfn) === folio && totalMapcount(mem, folio) > 0) yield folio;
    }
  }

  /** Every entry that maps `folio`, read from the page tables: the truth that walks are held against. */
  mappings(folio: Folio): FoundMapping[] {
    const found: FoundMapping[] = [];
    for (const { mm, address } of mappingsOf(this.machine, folio)) {
      const { processes } = mm;
      if (processes.length > 0) found.push({ process: processes[0], address });
    }
    return found;
  }

  /** Another number than before whenever entries may have changed: while it and all address spaces are the same, so are {@link mappings}. */
  get entryWrites(): number {
    return this.machine.tables.writes;
  }

  /** Checks every walk against the page tables, and every invariant. */
  check(): VerifyReport {
    return check(this.machine, this.changes);
  }

  /** The same. @throws ContractViolation with a picture when anything is missed or wrong */
  verify(): VerifyReport {
    const report = this.check();
    if (report.missed > 0 || report.wrong > 0) throw new ContractViolation('R17', 'walk', 'verify', report.problems.join('\n'));
    return report;
  }

  /**
   * Checks the folios whose entries changed since the last call: their map counts and their walks; at the first call, all. Far cheaper
   * than {@link verify} after each operation, but blind to what breaks a walk without changing an entry: end with {@link verify}.
   * @throws ContractViolation when anything is missed or wrong
   */
  verifyChanges(): VerifyReport {
    this.changes ??= new ChangeVerifier(this.machine);
    const report = this.changes.verify();
    if (report.missed > 0 || report.wrong > 0)
      throw new ContractViolation('R17', 'walk', 'verifyChanges', report.problems.join('\n'));
    return report;
  }

  /** Objects, bytes, locks and pages so far. */
  stats(): KernelStats {
    return statsOf(this.machine);
  }

  /** The strategy's objects and edges, if it shows them. */
  inspect(): ObjectGraph {
    return this.machine.rmap.inspect?.() ?? { nodes: [], edges: [] };
  }

  /** A picture of every address space and what its pages map. */
  draw(): string {
    return drawAddressSpaces(this.machine);
  }

  /**
   * Runs an operation to its end, alone, and then what it left to workers.
   * @throws SelfDeadlock when it waits for itself; ContractViolation when it leaves a lock held
   */
  run<T>(op: Op<T>): T {
    let result: T;
    try {
      result = this.machine.options.stepping ? runAlone(op) : run(op);
    } finally {
      if (this.machine.deferred.length > 0) this.runDeferred();
    }
    const { held, name } = this.machine.sync.current;
    if (held !== 0) throw new ContractViolation('R28', 'lock', 'end of operation', `task ${name} still holds ${held} lock(s)`);
    return result;
  }

  /** Makes `task` the one that runs: a scheduler calls it before every step it lets a thread take. */
  schedule(task: Task): void {
    this.machine.sync.current = task;
  }

  /** Has a checker look on from now on; null: nobody. */
  watch(watch: Watch | null): void {
    this.machine.sync.watch = watch;
  }

  /** Runs `look` without telling the watch: whoever looks on is none of the threads. */
  unwatched<T>(look: () => T): T {
    const { sync } = this.machine;
    const { watch } = sync;
    sync.watch = null;
    try {
      return look();
    } finally {
      sync.watch = watch;
    }
  }

  /** Runs what strategies left to workers; a scheduler calls it when its threads are done. */
  runDeferred(): void {
    for (let work = this.machine.deferred.shift(); work !== undefined; work = this.machine.deferred.shift()) this.run(work());
  }

  private *reclaimOp(folio: Folio): Op<Reclaim> {
    this.mustSupport('swap');
    return yield* reclaimFolio(this.machine, folio);
  }

  private *swapOffOp(): Op<void> {
    this.mustSupport('swap');
    yield* swapOff(this.machine);
  }

  private *victimsOp(page: Pfn): Op<FoundMapping[]> {
    const victims = yield* collectVictims(this.machine, page);
    return victims.flatMap(({ mm, address }) => mm.processes.slice(0, 1).map((process) => ({ process, address })));
  }

  private *khugepagedOp(): Op<number> {
    this.mustSupport('collapse');
    return yield* khugepagedScan(this.machine);
  }

  private *ksmOp<T>(op: Op<T>): Op<T> {
    this.mustSupport('ksm');
    return yield* op;
  }

  private *migrateOp(folio: Folio): Op<Folio | null> {
    this.mustSupport('migrate');
    return yield* migrateFolio(this.machine, folio);
  }

  private *startMigrationOp(folio: Folio): Op<boolean> {
    this.mustSupport('migrate');
    const migration = yield* startMigration(this.machine, folio);
    if (migration !== null) parkMigration(this.machine, migration);
    return migration !== null;
  }

  private *finishMigrationsOp(): Op<number> {
    let moved = 0;
    for (const migration of [...this.machine.migrations.values()]) {
      if ((yield* resumeMigration(this.machine, migration)) !== null) moved++;
    }
    return moved;
  }

  /** @internal A process for an address space. */
  adopt(mm: Process['mm']): Process {
    const process = new Process(this, this.machine, this.nextProcess++, mm);
    this.processList.push(process);
    return process;
  }

  /** @internal A process has exited. */
  forget(process: Process): void {
    this.processList.splice(this.processList.indexOf(process), 1);
  }

  /** @internal Refuses what the strategy says it can't do. @throws Unsupported */
  mustSupport(feature: Feature): void {
    const reason = this.unsupported[feature];
    if (reason !== undefined) throw new Unsupported(feature, reason);
  }

  private *splitOp(folio: Folio, { order = 0, around }: SplitRequest): Op<boolean> {
    this.mustSupport('folio-split');
    const { mem, folioLock } = this.machine;
    const page = around === undefined ? null : ((folio + around) as Pfn);
    if (order === 1 || order < 0 || (around !== undefined && !(around >= 0 && around < mem.pages(folio)))) {
      throw new KernelError(
        'EINVAL',
        'splitFolio',
        `folio ${folio} has ${mem.pages(folio)} pages; anonymous folios have 1, 4, 8, .. pages`,
      );
    }
    // Who has no reference yet may come too late for one (folio_try_get).
    if (mem.refcount[folio] === 0 || !folioLock.tryLock(folio)) return false;
    mem.refcount[folio]++;
    try {
      return yield* splitFolio(this.machine, folio, order, page);
    } finally {
      folioLock.unlock(folio);
      yield* putPage(this.machine, folio as number as Pfn);
    }
  }

  private *splitDeferredOp(): Op<number> {
    this.mustSupport('folio-split');
    return yield* splitDeferred(this.machine);
  }

  private *spawnOp(): Op<Process> {
    return this.adopt(yield* newMm(this.machine));
  }

  private *walkOp(folio: Folio): Op<WalkResult> {
    const found: FoundMapping[] = [];
    const { candidates, needed, passes } = yield* walkFolio(this.machine, folio, (vma, address) => {
      const { processes } = vma.mm;
      if (processes.length > 0) found.push({ process: processes[0], address });
      return true;
    });
    return { found, candidates, needed, passes };
  }
}

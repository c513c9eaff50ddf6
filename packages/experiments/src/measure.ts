import { Kernel, type KernelStats, type Layout, type LockCounts, messageOf, type RmapStrategy, TraceError } from '@rmap-lab/core';
import { type PlacedRecord, type ReplayReport, recordedMachine, replay, type Workload } from '@rmap-lab/workloads';
import { Census } from './census.js';
import { type Cost, CostMeter, noCost } from './cost.js';
import { type Added, addedIn, type OwnPeak, OwnPeakMeter } from './own-peak.js';
import { type WalkCosts, WalkSampler } from './walk-sampler.js';

/** Folios walked at each point of a run. */
const WALKS_PER_POINT = 200;

/** Objects of one slab cache, with bytes. */
export interface CacheUse {
  readonly objectBytes: number;
  readonly live: number;
  readonly peak: number;
}

/** The caches at a mark of the workload. */
export interface MarkUse {
  readonly mark: string;
  readonly processes: number;
  /** Live objects by cache. */
  readonly live: Readonly<Record<string, number>>;
  /** Bytes of the strategy's fields in structs of core. */
  readonly added: number;
  readonly zombies: number;
}

/** What a check of every folio and every invariant found, summed over all checks. */
export interface VerifySums {
  folios: number;
  mappings: number;
  missed: number;
  wrong: number;
}

/** One strategy on one workload. */
export interface Measurement {
  readonly strategy: string;
  readonly preset: string | null;
  readonly workload: string;
  /** What the strategy could not do, broke or missed: the first of it, in words. null: nothing. */
  readonly failure: string | null;
  /** The run was interrupted: figures of what was done. */
  readonly stopped: boolean;
  /** What of the program the trace does not hold, in words: figures are without it. null: it does not say. */
  readonly leftOut: string | null;
  readonly operations: number;
  readonly processes: { readonly total: number; readonly peak: number };
  readonly slab: Readonly<Record<string, CacheUse>>;
  /** What the strategy's fields in structs of core take at the peak, in bytes. A struct without room to spare may grow by more. */
  readonly added: Added;
  /** The most that the strategy took at once, seen from between two records. */
  readonly own: OwnPeak;
  readonly marks: readonly MarkUse[];
  readonly fork: Cost;
  readonly mremap: Cost;
  readonly walks: { readonly exclusive: WalkCosts; readonly shared: WalkCosts };
  readonly locks: Readonly<Record<string, LockCounts>>;
  /** What core and strategy counted in the whole run. */
  readonly counts: Readonly<Record<string, number>>;
  /** Unmapped VMAs that the strategy kept: when it had most of them, and at the end. */
  readonly zombies: { readonly peak: number; readonly end: number };
  /** VMAs that merges swallowed. */
  readonly merges: number;
  /** VMAs that are mapped: at the end, and at most, seen from between two records. Those that the strategy kept are in `zombies`. */
  readonly vmas: { readonly live: number; readonly peak: number };
  /** At how many points of the run everything was checked. */
  readonly checks: number;
  readonly verify: VerifySums;
  readonly seconds: number;
}

/** How to measure. */
export interface MeasureOptions {
  /** Chooses the folios whose walks are sampled. Default 1. */
  readonly seed?: number;
  /** Name of the strategy's preset, for the report. */
  readonly preset?: string | null;
  /** Struct sizes. Default: those of core. */
  readonly layout?: Layout;
  /** Ends the run early. */
  readonly signal?: AbortSignal;
  /** Called now and then. */
  readonly onProgress?: (operations: number) => void;
}

/**
 * Replays `workload` under `strategy`, checks every mapping at each mark (without marks: now and then) and at the end, and counts what it cost. A strategy that
 * fails is reported, not thrown. @throws TraceError for a damaged trace
 */
export async function measure(strategy: RmapStrategy, workload: Workload, options: MeasureOptions = {}): Promise<Measurement> {
  const { seed = 1, preset = null, layout, signal, onProgress } = options;
  const { options: recorded, records } = await recordedMachine(workload.records);
  const kernel = new Kernel({ strategy, ...recorded, ...(layout && { layout }) });
  const run = new Run(kernel, strategy, seed);
  const started = performance.now();
  let report: ReplayReport | null = null;
  try {
    report = await replay(kernel, run.watch(records), {
      name: workload.name,
      onMismatch: 'skip',
      onMark: (mark) => run.mark(mark),
      ...(signal && { signal }),
      onProgress: (soFar) => onProgress?.(soFar.operations),
    });
    run.look();
    const { mismatches, unexplained, first } = report;
    if (mismatches + unexplained > 0)
      run.fail(`${mismatches} answers differ from the workload's, ${unexplained} touches were refused; the first: ${first}`);
  } catch (error) {
    if (isInputError(error)) throw error;
    run.fail(messageOf(error));
  }
  const stats = kernel.stats();
  return {
    strategy: strategy.name,
    preset,
    workload: workload.name,
    failure: run.failure,
    stopped: report?.stopped ?? false,
    leftOut: run.leftOut,
    operations: run.operations,
    processes: { total: run.census.total, peak: run.census.peak },
    slab: cachesOf(stats),
    added: addedIn(strategy, stats.vmas.peak, stats.slab.mm_struct.peak, stats.pages.peak),
    own: { objects: run.own.objects, bytes: run.own.bytes, together: run.own.together },
    marks: run.marks,
    fork: run.fork,
    mremap: run.mremap,
    walks: run.sampler.costs(),
    locks: stats.locks,
    counts: stats.counts,
    zombies: { peak: run.zombiePeak, end: stats.zombies },
    merges: stats.counts.merge ?? 0,
    vmas: { live: stats.vmas.live - stats.zombies, peak: run.vmaPeak },
    checks: run.checks,
    verify: run.verify,
    seconds: (performance.now() - started) / 1000,
  };
}

/** A damaged or unreadable trace is nothing that a strategy did. */
const isInputError = (error: unknown): boolean => error instanceof TraceError || (error instanceof Error && 'syscall' in error);

const cachesOf = ({ slab }: KernelStats): Record<string, CacheUse> =>
  Object.fromEntries(Object.entries(slab).map(([name, { objectBytes, live, peak }]) => [name, { objectBytes, live, peak }]));

/** Watches a replay from between its records. */
class Run {
  readonly fork = noCost();
  readonly mremap = noCost();
  readonly marks: MarkUse[] = [];
  readonly verify: VerifySums = { folios: 0, mappings: 0, missed: 0, wrong: 0 };
  readonly census = new Census();
  readonly sampler: WalkSampler;
  readonly own: OwnPeakMeter;
  failure: string | null = null;
  leftOut: string | null = null;
  operations = 0;
  zombiePeak = 0;
  vmaPeak = 0;
  checks = 0;
  private passed = 0;
  private nextLook = 200;
  private readonly forkMeter: CostMeter;
  private readonly mremapMeter: CostMeter;

  constructor(
    private readonly kernel: Kernel,
    private readonly strategy: RmapStrategy,
    seed: number,
  ) {
    this.sampler = new WalkSampler(kernel, seed);
    this.own = new OwnPeakMeter(strategy);
    this.forkMeter = new CostMeter(kernel, this.fork);
    this.mremapMeter = new CostMeter(kernel, this.mremap);
  }

  async *watch(records: AsyncIterable<PlacedRecord> | Iterable<PlacedRecord>): AsyncGenerator<PlacedRecord> {
    for await (const placed of records) {
      const meter = this.meterFor(placed);
      meter?.start();
      yield placed;
      meter?.stop();
      this.follow(placed);
      // Recorded traces have no marks.
      if (this.marks.length === 0 && ++this.passed === this.nextLook) {
        this.look();
        this.nextLook = Math.ceil(this.nextLook * 1.4);
      }
    }
  }

  mark(mark: string): void {
    const { slab, zombies, vmas, pages } = this.kernel.stats();
    const live = Object.fromEntries(Object.entries(slab).map(([name, cache]) => [name, cache.live]));
    const { vma, mm, folio } = addedIn(this.strategy, vmas.live, live.mm_struct, pages.live);
    this.marks.push({ mark, processes: this.census.live, live, added: vma + mm + folio, zombies });
    this.look();
  }

  /** Checks everything, and walks some folios. */
  look(): void {
    const { folios, mappings, missed, wrong, problems } = this.kernel.check();
    this.checks++;
    this.verify.folios += folios;
    this.verify.mappings += mappings;
    this.verify.missed += missed;
    this.verify.wrong += wrong;
    if (problems.length > 0) this.fail(problems[0]);
    else this.sampler.sample(WALKS_PER_POINT);
  }

  fail(reason: string): void {
    this.failure ??= reason;
  }

  private meterFor({ record }: PlacedRecord): CostMeter | null {
    if (record.type === 'process' && record.kind === 'fork') return this.forkMeter;
    return record.type === 'call' && record.call === 'mremap' ? this.mremapMeter : null;
  }

  private follow(placed: PlacedRecord): void {
    const { record } = placed;
    this.census.follow(placed);
    if (record.type === 'header') this.leftOut = record.options['left-out'] ?? null;
    if (record.type !== 'header' && record.type !== 'mark' && record.type !== 'end' && record.type !== 'file') this.operations++;
    const stats = this.kernel.stats();
    this.zombiePeak = Math.max(this.zombiePeak, stats.zombies);
    this.vmaPeak = Math.max(this.vmaPeak, stats.vmas.live - stats.zombies);
    this.own.look(stats);
  }
}

import { type Address, type Folio, type Kernel, KernelError, MADV_COLLAPSE, type Process, type VmaInfo } from '@rmap-lab/core';
import type { PlacedRecord } from '@rmap-lab/workloads';

/** How busy the kernel is beside the workload: records between two acts, on average. */
const RECORDS_PER_ACT = { light: 400, heavy: 25 } as const;
export type ActivityLevel = keyof typeof RECORDS_PER_ACT;
export const ACTIVITY_LEVELS = Object.keys(RECORDS_PER_ACT) as ActivityLevel[];

/** What was done beside the workload. */
export interface ActivityCounts {
  /** Folios evicted. */
  reclaimed: number;
  /** Folios that moved to another place in memory. */
  migrated: number;
  /** Ranges of 2 MiB that became one folio. */
  collapsed: number;
  /** Large folios that were cut. */
  split: number;
  /** Pages that KSM merged. */
  merged: number;
}

const MIB2 = 2 ** 21;

/** The first few aligned ranges of 2 MiB in memory that may hold large folios. */
function wholeRanges({ start, end, file, faulted }: VmaInfo): Address[] {
  const ranges: Address[] = [];
  for (let at = Math.ceil(start / MIB2) * MIB2; file === null && faulted && at + MIB2 <= end && ranges.length < 16; at += MIB2)
    ranges.push(at as Address);
  return ranges;
}

/** What a kernel does on its own while programs run: reclaim, migration over several records, collapse, splits, passes of KSM. */
export class KernelActivity {
  readonly counts: ActivityCounts = { reclaimed: 0, migrated: 0, collapsed: 0, split: 0, merged: 0 };
  private readonly acts = [
    this.reclaim,
    this.reclaim,
    this.startMigration,
    this.finishMigrations,
    this.collapse,
    this.split,
    this.ksm,
  ];

  constructor(
    private readonly kernel: Kernel,
    private readonly level: ActivityLevel,
    private state: number,
  ) {}

  /** The same records, with acts of the kernel between them. */
  async *between(records: AsyncIterable<PlacedRecord> | Iterable<PlacedRecord>): AsyncGenerator<PlacedRecord> {
    for await (const placed of records) {
      yield placed;
      if (this.random(RECORDS_PER_ACT[this.level]) === 0) this.acts[this.random(this.acts.length)].call(this);
    }
    this.finishMigrations();
  }

  private reclaim(): void {
    for (let i = 0; i < 8; i++) {
      const folio = this.someFolio();
      if (folio !== null && this.kernel.reclaim(folio) === 'reclaimed') this.counts.reclaimed++;
    }
  }

  private startMigration(): void {
    for (let i = 0; i < 4; i++) {
      const folio = this.someFolio();
      if (folio !== null) this.kernel.startMigration(folio);
    }
  }

  private finishMigrations(): void {
    this.counts.migrated += this.kernel.finishMigrations();
  }

  private collapse(): void {
    const { processes } = this.kernel;
    if (processes.length === 0) return;
    const process = processes[this.random(processes.length)];
    const ranges = process.vmas().flatMap(wholeRanges);
    if (ranges.length > 0) this.collapseOne(process, ranges[this.random(ranges.length)]);
  }

  private collapseOne(process: Process, start: Address): void {
    try {
      process.madvise(start, MIB2, MADV_COLLAPSE);
      this.counts.collapsed++;
    } catch (error) {
      if (!(error instanceof KernelError)) throw error; // nothing is there yet, or somebody uses it
    }
  }

  private split(): void {
    const folio = this.someFolio();
    if (folio !== null && this.kernel.splitFolio(folio)) this.counts.split++;
    this.counts.split += this.kernel.splitDeferred();
  }

  private ksm(): void {
    this.counts.merged += this.kernel.ksmScan();
  }

  private someFolio(): Folio | null {
    const all = [...this.kernel.folios()];
    return all.length === 0 ? null : all[this.random(all.length)];
  }

  /** A linear congruential generator: the same acts for the same seed. */
  private random(n: number): number {
    this.state = (Math.imul(this.state, 1664525) + 1013904223) >>> 0;
    return Math.floor((this.state / 2 ** 32) * n);
  }
}

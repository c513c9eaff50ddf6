import { type Address, type Kernel, KernelError, PAGE_SIZE, SegmentationFault, TraceError } from '@rmap-lab/core';
import type { TouchRecord, TraceRecord } from '../format.js';
import type { PlacedRecord } from '../parser.js';
import { applyRecord, kindOf } from './apply.js';
import { Mismatch } from './mismatch.js';
import { Pace } from './pace.js';
import { emptyReport, type ReplayReport } from './report.js';
import { UnknownReference, World } from './world.js';

/** How a trace is replayed. */
export interface ReplayOptions {
  /** The trace's name in errors. Default 'trace'. */
  readonly name?: string;
  /** At a touch that the model can't explain, or a record that it can't do or answers differently. Default 'stop'. */
  readonly onMismatch?: 'stop' | 'skip';
  /** Ends the replay early; what was done by then is reported. */
  readonly signal?: AbortSignal;
  /** Called now and then. */
  readonly onProgress?: (soFar: Readonly<ReplayReport>) => void;
  /** Called at each mark, before anything else happens. */
  readonly onMark?: (name: string) => void;
}

/** Pages touched before a run looks at clock and signal. */
const SLICE = 256;

/**
 * Does on `kernel` what a trace says, in order, and compares every answer with the recorded one. Other work of the event loop goes
 * on meanwhile. @throws TraceError at the first record that can't be replayed, for a mismatch unless told to skip; what `records` throws
 */
export async function replay(
  kernel: Kernel,
  records: AsyncIterable<PlacedRecord> | Iterable<PlacedRecord>,
  options: ReplayOptions = {},
): Promise<ReplayReport> {
  const run = new Replay(kernel, options);
  for await (const placed of records) {
    if (run.aborted()) break;
    await run.take(placed);
  }
  return run.report;
}

class Replay {
  readonly report = emptyReport();
  private readonly world: World;
  private readonly pace = new Pace();

  constructor(
    kernel: Kernel,
    private readonly options: ReplayOptions,
  ) {
    this.world = new World(kernel);
  }

  /** Whether to stop here; says so in the report. */
  aborted(): boolean {
    this.report.stopped = this.options.signal?.aborted ?? false;
    return this.report.stopped;
  }

  async take({ record, position }: PlacedRecord): Promise<void> {
    this.count(record);
    if (record.type === 'touch') await this.touch(record, position);
    else {
      try {
        applyRecord(this.world, record);
      } catch (error) {
        this.refuse(position, error);
      }
    }
    if (record.type === 'mark') this.options.onMark?.(record.name);
    if (this.pace.due()) await this.pause();
  }

  private count(record: TraceRecord): void {
    const { report } = this;
    const kind = kindOf(record);
    if (kind === null) return;
    report.operations++;
    report.byKind[kind] = (report.byKind[kind] ?? 0) + 1;
    if (record.type === 'call' && typeof record.result === 'string') report.refused++;
  }

  /** A run in slices, so that a long one does not hold up everything else. */
  private async touch(record: TouchRecord, position: number): Promise<void> {
    for (let done = 0; done < record.count; done += SLICE) {
      if (done > 0 && this.aborted()) return;
      this.touchPages(record, done, Math.min(done + SLICE, record.count), position);
      if (this.pace.due()) await this.pause();
    }
  }

  private touchPages({ process: number, first, stride, write }: TouchRecord, from: number, to: number, position: number): void {
    for (let i = from; i < to; i++) {
      this.report.touches++;
      try {
        const process = this.world.process(number);
        const at = ((first + i * stride) * PAGE_SIZE) as Address;
        if (write) process.write(at);
        else process.read(at);
      } catch (error) {
        this.refuse(position, error);
      }
    }
  }

  /** A record can't be replayed: counts it, or stops. @throws TraceError; or `error`, if it is no fault of the trace */
  private refuse(position: number, error: unknown): void {
    const { name = 'trace', onMismatch = 'stop' } = this.options;
    const unexplained = error instanceof SegmentationFault;
    const mismatch = error instanceof Mismatch || error instanceof KernelError;
    if (!unexplained && !mismatch && !(error instanceof UnknownReference)) throw error;
    if (unexplained) this.report.unexplained++;
    if (mismatch) this.report.mismatches++;
    if (unexplained || mismatch) this.report.first ??= `record ${position}: ${error.message}`;
    if (onMismatch === 'stop' || !(unexplained || mismatch)) throw new TraceError(name, position, error.message);
  }

  private async pause(): Promise<void> {
    await this.pace.pause();
    this.options.onProgress?.(this.report);
  }
}

import type { Kernel } from '@rmap-lab/core';
import { Census, Draw } from '@rmap-lab/experiments';
import type { PlacedRecord } from '@rmap-lab/workloads';

/** Points of a run at which everything is checked and walks are sampled. */
const POINTS = 20;
const FOLIOS_PER_POINT = 100;
/** Records between two points where the length of the workload is not known. */
const UNKNOWN_LENGTH_STEP = 20_000;

/** Watches a replay from between its records: counts processes, checks every mapping now and then, samples walks. */
export class Observer {
  readonly processes = new Census();
  readonly verify = { points: 0, folios: 0, mappings: 0, missed: 0, wrong: 0 };
  /** The first thing that was wrong, in words. */
  witness: string | null = null;
  readonly candidates: number[] = [];
  mappings = 0;
  /** What of the program the trace does not hold, in words; null: it does not say. */
  leftOut: string | null = null;
  private readonly draw: Draw;

  constructor(
    private readonly kernel: Kernel,
    private readonly operations: number | null,
    seed: number,
  ) {
    this.draw = new Draw(seed);
  }

  /** The same records, watched. */
  async *watch(records: AsyncIterable<PlacedRecord> | Iterable<PlacedRecord>): AsyncGenerator<PlacedRecord> {
    const step = this.operations === null ? UNKNOWN_LENGTH_STEP : Math.max(1, Math.floor(this.operations / POINTS));
    let passed = 0;
    for await (const placed of records) {
      const { record } = placed;
      if (record.type === 'header') this.leftOut = record.options['left-out'] ?? null;
      yield placed;
      this.processes.follow(placed);
      if (++passed % step === 0) this.look();
    }
  }

  /** Checks everything, and walks some folios. */
  look(): void {
    const { folios, mappings, missed, wrong, problems } = this.kernel.check();
    this.verify.points++;
    this.verify.folios += folios;
    this.verify.mappings += mappings;
    this.verify.missed += missed;
    this.verify.wrong += wrong;
    this.witness ??= problems[0] ?? null;
    for (const folio of this.draw.some(this.kernel.folios(), FOLIOS_PER_POINT)) {
      const { candidates, found } = this.kernel.uncounted(() => this.kernel.walk(folio));
      this.candidates.push(candidates);
      this.mappings += found.length;
    }
  }
}

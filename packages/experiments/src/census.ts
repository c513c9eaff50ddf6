import type { PlacedRecord } from '@rmap-lab/workloads';

/** Counts the processes of a workload, record by record; threads are none of their own. */
export class Census {
  live = 0;
  peak = 0;
  total = 0;
  private readonly threads = new Set<number>();

  /** A record has been replayed. */
  follow({ record }: PlacedRecord): void {
    if (record.type === 'process') {
      if (record.kind === 'thread') this.threads.add(record.process);
      else {
        this.total++;
        this.peak = Math.max(this.peak, ++this.live);
      }
    }
    if (record.type === 'exit' && !this.threads.delete(record.process)) this.live--;
  }
}

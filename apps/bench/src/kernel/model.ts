import {
  type Address,
  Kernel,
  MADV_PAGEOUT,
  MREMAP_FIXED,
  MREMAP_MAYMOVE,
  PAGE_SIZE,
  type Process,
  type RmapStrategy,
} from '@rmap-lab/core';
import type { Lap, Operation, OperationList } from './operations.js';

/** The model as a runner of operation lists. One kernel runs them all, as one does outside; each list has processes of its own. */
export function modelKernel(strategy: RmapStrategy): (list: OperationList) => Lap {
  const kernel = new Kernel({ strategy });
  return ({ setup, timed }) => {
    const run = new ListRun(kernel);
    for (const operation of setup) run.perform(operation);
    run.calls = run.pages = 0;
    const start = process.hrtime.bigint();
    for (const operation of timed) run.perform(operation);
    const nanoseconds = Number(process.hrtime.bigint() - start);
    const swapped = timed.reduce((sum, operation) => sum + run.swappedBy(operation), 0);
    run.end();
    return { nanoseconds, calls: run.calls, pages: run.pages, swapped };
  };
}

class ListRun {
  calls = 0;
  pages = 0;
  private readonly processes: Process[];

  constructor(kernel: Kernel) {
    this.processes = [kernel.spawn()];
  }

  perform({ process, kind, a, b, c }: Operation): void {
    const actor = this.processes[process];
    const at = a as Address;
    this.calls++;
    switch (kind) {
      case 'm':
        actor.mapAt(at, b * PAGE_SIZE, { prot: c });
        break;
      case 'u':
        actor.munmap(at, b * PAGE_SIZE);
        break;
      case 'p':
        actor.mprotect(at, b * PAGE_SIZE, c);
        break;
      case 'v':
        actor.mremap(at, b * PAGE_SIZE, b * PAGE_SIZE, { flags: MREMAP_MAYMOVE | MREMAP_FIXED, to: c as Address });
        break;
      case 'w':
        for (let i = 0; i < b; i++) actor.write((a + i * PAGE_SIZE) as Address);
        this.pages += b;
        break;
      case 'f':
        this.processes[a] = actor.fork();
        break;
      case 'x':
        this.processes[a].exit();
        break;
      case 'o':
        actor.madvise(at, b * PAGE_SIZE, MADV_PAGEOUT);
        this.pages += b;
        break;
    }
  }

  /** Pages that a page-out left in swap. */
  swappedBy({ process, kind, a, b }: Operation): number {
    let found = 0;
    for (let i = 0; kind === 'o' && i < b; i++)
      if (this.processes[process].pageAt((a + i * PAGE_SIZE) as Address).kind === 'swap') found++;
    return found;
  }

  end(): void {
    for (const process of this.processes) if (process.alive) process.exit();
  }
}

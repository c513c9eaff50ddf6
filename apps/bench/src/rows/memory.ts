import { PAGE_SIZE, type RmapStrategy } from '@rmap-lab/core';
import { collect } from '../measure.js';
import { NaturalProcess } from '../natural-model.js';
import { type Bench, judged, type Row } from '../row.js';
import { BASE, newKernel, pageAt } from './lab.js';

const CHECKS = 1000;

/** Least and most bytes per page while a process grows from n/2 to n pages: the columns grow in steps. */
function extremes(n: number, strategy: RmapStrategy): { best: number; worst: number } {
  const kernel = newKernel(strategy);
  const process = kernel.spawn();
  const at = process.mmap(n * PAGE_SIZE);
  let best = Number.POSITIVE_INFINITY;
  let worst = 0;
  for (let page = 0; page < n; page++) {
    process.write(pageAt(at, page));
    if (page < n / 2 || page % Math.ceil(n / CHECKS) !== 0) continue;
    const bytes = kernel.stats().simulatorBytes / (page + 1);
    best = Math.min(best, bytes);
    worst = Math.max(worst, bytes);
  }
  return { best, worst };
}

function naturalBytes(n: number): number {
  collect();
  const before = process.memoryUsage().heapUsed;
  const natural = new NaturalProcess();
  natural.mmap(BASE, n);
  for (let i = 0; i < n; i++) natural.write(BASE + i);
  collect();
  const bytes = process.memoryUsage().heapUsed - before;
  natural.munmap(BASE);
  return bytes / n;
}

const bytesPerPage: Bench = {
  id: 'memory.bytes-per-page',
  run(quick, strategies) {
    const n = quick ? 20_000 : 2_000_000;
    const other = naturalBytes(n);
    return [...strategies].map(([name, strategy]) => rowOf(name, n, extremes(n, strategy), other));
  },
};

const rowOf = (strategy: string, n: number, { best, worst }: { best: number; worst: number }, other: number): Row =>
  judged({
    id: 'memory.bytes-per-page',
    strategy,
    unit: 'bytes/page',
    n,
    ours: worst,
    other,
    otherName: 'natural model',
    ratio: other / worst,
    better: 'lower',
    target: { of: 'ours', floor: 32, aim: 24 },
    note: `worst between ${n / 2} and ${n} pages; best ${best.toFixed(1)}`,
  });

export const memoryRows = [bytesPerPage];

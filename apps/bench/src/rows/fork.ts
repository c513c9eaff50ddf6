import { contest } from '../contest.js';
import { NaturalProcess } from '../natural-model.js';
import type { MachineSetup, Setup } from '../row.js';
import { BASE, expect, manyVmas, touched } from './lab.js';

/** fork(2) of a process with `n` pages in one VMA, per entry, in a machine that had as many page tables in use before. */
export const forkPte: MachineSetup = (n, strategy) => {
  const { process, at } = touched(n, strategy);
  process.fork().exit();
  return () => {
    const child = process.fork();
    expect(child.pageAt(at).mapcount, 2, 'mappings of a page');
    return n;
  };
};

const naturalForkPte: Setup = (n) => {
  const process = new NaturalProcess();
  process.mmap(BASE, n);
  for (let i = 0; i < n; i++) process.write(BASE + i);
  return () => {
    const child = process.fork();
    expect(child.walk(BASE).length, 2, 'mappings of a page');
    return n;
  };
};

/** fork(2) of a process with `n` VMAs of one page each, per VMA. */
const forkVma: MachineSetup = (n, strategy) => {
  const { process, places } = manyVmas(n, strategy);
  for (const at of places) process.write(at);
  return () => {
    const child = process.fork();
    expect(child.vmas().length, n, 'VMAs of the child');
    return n;
  };
};

const naturalForkVma: Setup = (n) => {
  const process = new NaturalProcess();
  for (let i = n - 1; i >= 0; i--) process.mmap(BASE + 2 * i, 1);
  for (let i = 0; i < n; i++) process.write(BASE + 2 * i);
  return () => {
    const child = process.fork();
    expect(child.walk(BASE).length, 2, 'mappings of a page');
    return n;
  };
};

export const forkRows = [
  contest({
    id: 'fork.pte',
    operation: 'PTE',
    as: 'rate',
    n: 1_000_000,
    quickN: 2000,
    ours: forkPte,
    other: naturalForkPte,
    otherName: 'natural model',
    target: { of: 'ours', floor: 10e6, aim: 100e6 },
  }),
  contest({
    id: 'fork.vma',
    operation: 'VMA',
    as: 'time',
    n: 10_000,
    quickN: 100,
    ours: forkVma,
    other: naturalForkVma,
    otherName: 'natural model',
  }),
];

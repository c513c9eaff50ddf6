import { PAGE_SIZE } from '@rmap-lab/core';
import { contest } from '../contest.js';
import { NaturalProcess } from '../natural-model.js';
import type { MachineSetup, Setup } from '../row.js';
import { BASE, expect, touched, writePages } from './lab.js';

/** The first write to each of `n` pages of fresh memory, in a machine that had as many pages in use before. */
export const firstTouch: MachineSetup = (n, strategy) => {
  const { kernel, process, at: before } = touched(n, strategy);
  process.munmap(before, n * PAGE_SIZE);
  const at = process.mmap(n * PAGE_SIZE);
  return () => {
    writePages(process, at, n);
    expect(kernel.stats().pages.live, n, 'pages in use');
    return n;
  };
};

const naturalFirstTouch: Setup = (n) => {
  const process = new NaturalProcess();
  process.mmap(BASE, n);
  return () => {
    for (let i = 0; i < n; i++) process.write(BASE + i);
    return n;
  };
};

/** The child writes to each of `n` pages that it shares with its parent. */
const cow: MachineSetup = (n, strategy) => {
  const { kernel, process, at } = touched(n, strategy);
  const child = process.fork();
  return () => {
    writePages(child, at, n);
    expect(kernel.stats().pages.live, 2 * n, 'pages in use');
    return n;
  };
};

const naturalCow: Setup = (n) => {
  const process = new NaturalProcess();
  process.mmap(BASE, n);
  for (let i = 0; i < n; i++) process.write(BASE + i);
  const child = process.fork();
  return () => {
    for (let i = 0; i < n; i++) child.write(BASE + i);
    return n;
  };
};

const natural = { otherName: 'natural model', operation: 'fault', as: 'rate', quickN: 2000 } as const;

export const faultRows = [
  contest({
    ...natural,
    id: 'fault.first-touch',
    n: 1_000_000,
    ours: firstTouch,
    other: naturalFirstTouch,
    target: { of: 'ours', floor: 1.5e6, aim: 30e6 },
  }),
  contest({ ...natural, id: 'fault.cow', n: 200_000, ours: cow, other: naturalCow }),
];

import type { Folio, Kernel } from '@rmap-lab/core';
import { type Contest, contest } from '../contest.js';
import { NaturalProcess } from '../natural-model.js';
import type { MachineSetup, Setup } from '../row.js';
import { BASE, expect, touched } from './lab.js';

/** Looked at in one lap. */
const MAPPINGS = 1_000_000;

/** Walks of a folio that `n` processes share, per mapping; `walkOnce` says how many mappings it looked at. */
const sharers =
  (walkOnce: (kernel: Kernel, folio: Folio) => number): MachineSetup =>
  (n, strategy) => {
    const { kernel, process, at } = touched(1, strategy);
    for (let i = 1; i < n; i++) process.fork();
    const folio = process.folioAt(at)!;
    const walks = Math.ceil(MAPPINGS / n);
    return () => {
      let found = 0;
      for (let i = 0; i < walks; i++) found += walkOnce(kernel, folio);
      expect(found, walks * n, 'mappings');
      return found;
    };
  };

const naturalSharers =
  (walkOnce: (process: NaturalProcess) => number): Setup =>
  (n) => {
    const process = new NaturalProcess();
    process.mmap(BASE, 1);
    process.write(BASE);
    for (let i = 1; i < n; i++) process.fork();
    const walks = Math.ceil(MAPPINGS / n);
    return () => {
      let found = 0;
      for (let i = 0; i < walks; i++) found += walkOnce(process);
      expect(found, walks * n, 'mappings');
      return found;
    };
  };

/** The walk alone, as reclaim does it: every entry is looked at under its lock (folio_referenced). */
export const walk = sharers((kernel, folio) => kernel.referenced(folio).mappings);

const row: Pick<Contest, 'operation' | 'as' | 'n' | 'quickN' | 'otherName'> = {
  operation: 'mapping',
  as: 'time',
  n: 1000,
  quickN: 100,
  otherName: 'natural model',
};

export const walkRows = [
  contest({
    ...row,
    id: 'walk.sharers-1000',
    ours: walk,
    other: naturalSharers((process) => process.countMappings(BASE)),
    target: { of: 'ours', floor: 60, aim: 20 },
  }),
  contest({
    ...row,
    id: 'walk.list-1000',
    ours: sharers((kernel, folio) => kernel.walk(folio).found.length),
    other: naturalSharers((process) => process.walk(BASE).length),
  }),
];

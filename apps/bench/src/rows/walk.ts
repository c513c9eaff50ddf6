import { contest } from '../contest.js';
import { NaturalProcess } from '../natural-model.js';
import type { Setup } from '../row.js';
import { BASE, expect, touched } from './lab.js';

/** Enough that the engine has compiled the walk anew after the collection of garbage before each round. */
const MAPPINGS = 1_000_000;

/** Walks of a folio that `n` processes share, per mapping. */
export const walk: Setup = (n) => {
  const { kernel, process, at } = touched(1);
  for (let i = 1; i < n; i++) process.fork();
  const folio = process.folioAt(at)!;
  const walks = Math.ceil(MAPPINGS / n);
  return () => {
    let found = 0;
    for (let i = 0; i < walks; i++) found += kernel.walk(folio).found.length;
    expect(found, walks * n, 'mappings');
    return found;
  };
};

const naturalWalk: Setup = (n) => {
  const process = new NaturalProcess();
  process.mmap(BASE, 1);
  process.write(BASE);
  for (let i = 1; i < n; i++) process.fork();
  const walks = Math.ceil(MAPPINGS / n);
  return () => {
    let found = 0;
    for (let i = 0; i < walks; i++) found += process.walk(BASE).length;
    expect(found, walks * n, 'mappings');
    return found;
  };
};

export const walkRows = [
  contest({
    id: 'walk.sharers-1000',
    operation: 'mapping',
    as: 'time',
    n: 1000,
    quickN: 100,
    ours: walk,
    other: naturalWalk,
    otherName: 'natural model',
    target: { of: 'ours', floor: 60, aim: 20 },
  }),
];

import { anonVma } from '@rmap-lab/strategy-anon-vma';
import { type BodyRecord, forkChain, type Header, placeRecords } from '@rmap-lab/workloads';
import { expect, test } from 'vitest';
import { measure } from '../src/index.js';

test('a thread is no process of its own, also when it ends', async () => {
  const [header] = forkChain({ depth: 1 }) as Generator<Header>;
  const body: readonly BodyRecord[] = [
    { type: 'process', process: 0, parent: null, kind: 'spawn' },
    { type: 'process', process: 1, parent: 0, kind: 'thread' },
    { type: 'process', process: 2, parent: 0, kind: 'fork' },
    { type: 'mark', name: 'with a thread' },
    { type: 'exit', process: 1 },
    { type: 'mark', name: 'without' },
    { type: 'exit', process: 2 },
    { type: 'process', process: 1, parent: 0, kind: 'vfork' },
    { type: 'exit', process: 1 },
    { type: 'exit', process: 0 },
  ];
  const workload = { name: 'threads', kind: 'generated' as const, records: placeRecords([header, ...body]) };
  const { processes, marks, failure } = await measure(anonVma(), workload);
  expect(failure).toBeNull();
  expect(processes).toEqual({ total: 3, peak: 2 });
  expect(marks.map((mark) => mark.processes)).toEqual([2, 2]);
});

import { MAP_ANONYMOUS, MAP_DROPPABLE, MAP_LOCKED, MAP_PRIVATE, MAP_STACK, type Operation } from '@rmap-lab/core';
import { type BodyRecord, type Header, placeRecords } from '@rmap-lab/workloads';
import { expect, test } from 'vitest';
import { Folding, OutsideArena } from '../src/folding.js';
import { workloadProgram } from '../src/workload-program.js';

const HEAP = 0x555500010000;
const ofHeap = (brk: number | null): readonly BodyRecord[] => [
  { type: 'process', process: 1, parent: null, kind: 'spawn' },
  { type: 'exec', process: 1, brk, layout: [] },
  { type: 'call', process: 1, call: 'brk', args: [0], result: HEAP },
  { type: 'call', process: 1, call: 'brk', args: [HEAP + 0x2000], result: HEAP + 0x2000 },
  { type: 'call', process: 1, call: 'brk', args: [HEAP + 0x1000], result: HEAP + 0x1000 },
];

/** How far each operation reaches; the first two only make the process. */
const reach = (program: readonly Operation[]) =>
  program.slice(2).map((o) => ('pages' in o && 'at' in o ? `${o.op} ${o.pages}` : o.op));

test.each([HEAP, null])('a heap grows from where exec put it (%s), or the first brk found it: never from 0', async (brk) => {
  const { program, notes } = await workloadProgram(placeRecords(ofHeap(brk)));
  expect(reach(program)).toEqual(['mmap 2', 'munmap 1']);
  expect(program.every((o) => !('at' in o) || o.at >= 0)).toBe(true);
  expect(notes).toEqual([]);
});

test('what a trace says that it lacks is said of its program, too', async () => {
  const options = { 'left-out': 'every touch of a page' };
  const header: Header = { type: 'header', format: 'rmap-lab-trace', version: 1, pageSize: 4096, source: 'test', options };
  const { notes } = await workloadProgram(placeRecords([header, ...ofHeap(null)]));
  expect(notes).toEqual(['not in the trace: every touch of a page']);
});

// MAP_LOCKED was lost on the way, and so was what MAP_DROPPABLE means, without a word.
test('how a mapping behaves is kept, or it is said that it is not', async () => {
  const map = (flags: number): BodyRecord => ({
    type: 'call',
    process: 1,
    call: 'mmap',
    args: [0, 0x1000, 3, flags | MAP_ANONYMOUS, -1, 0],
    result: HEAP + 0x100000,
  });
  const records = [...ofHeap(null).slice(0, 2), map(MAP_PRIVATE | MAP_LOCKED | MAP_STACK), map(MAP_DROPPABLE)];
  const { program, notes } = await workloadProgram(placeRecords(records));
  expect(program.flatMap((o) => (o.op === 'mmap' ? [o.flags] : []))).toEqual([MAP_LOCKED | MAP_STACK, 0]);
  expect(notes).toEqual(['left out: 1 times MAP_DROPPABLE: the memory is private here']);
});

test('a page that no record speaks of has no place in the arena', () => {
  const folding = Folding.of([{ type: 'touch', process: 1, first: 0x555500010, count: 2, stride: 1, write: true }]);
  expect(folding.fold(0x555500011)).toBe(folding.fold(0x555500010) + 1);
  for (const page of [0, 0x555500000 - 1, 0x555500013, 2 ** 40]) expect(() => folding.fold(page)).toThrow(OutsideArena);
});

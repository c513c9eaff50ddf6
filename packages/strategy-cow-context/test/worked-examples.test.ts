import { type Address, type Folio, Kernel, MREMAP_FIXED, MREMAP_MAYMOVE, PAGE_SIZE, type Process } from '@rmap-lab/core';
import { beforeEach, expect, it } from 'vitest';
import { cowContext } from '../src/index.js';
import { Graph, type RemapInfo } from './graph.js';
import { brokenInvariant } from './invariants.js';

/** The ten worked examples of the design's description. P is `parent`; pages are counted from a far place. */
const BASE = 0x10_0000;
const at = (page: number): Address => ((BASE + page) * PAGE_SIZE) as Address;

let kernel: Kernel;
let parent: Process;
beforeEach(() => {
  kernel = new Kernel({ strategy: cowContext() });
  parent = kernel.spawn();
  parent.mapAt(at(100), PAGE_SIZE);
  parent.write(at(100));
});

const move = (process: Process, from: number, to: number, pages = 1): void => {
  process.mremap(at(from), pages * PAGE_SIZE, pages * PAGE_SIZE, { flags: MREMAP_MAYMOVE | MREMAP_FIXED, to: at(to) });
};
const folioAt = (process: Process, page: number): Folio => process.folioAt(at(page)) as Folio;
/** Where a walk finds a folio, as `P 100`; in the order of the processes. */
function places(folio: Folio, names: Record<string, Process>): string[] {
  expect(kernel.verify()).toMatchObject({ missed: 0, wrong: 0 });
  expect(brokenInvariant(kernel)).toBeNull();
  const nameOf = (process: Process | null): string =>
    Object.entries(names).find(([, { mm }]) => mm.id === process?.mm.id)?.[0] ?? '?';
  return kernel
    .walk(folio)
    .found.map(({ process, address }) => `${nameOf(process)} ${address / PAGE_SIZE - BASE}`)
    .sort();
}
const owner = (process: Process, page: number): number =>
  new Graph(kernel).ofAnchor(process.pageAt(at(page)).anchor as number).mm;
const records = (process: Process): readonly RemapInfo[] =>
  new Graph(kernel)
    .ofMm(process.mm.id)
    .remaps.map(({ first, end, deltas }) => ({ first: first - BASE, end: end - BASE, deltas }));

it('1: a page is found where it was born, in one address space', () => {
  const { found, candidates } = kernel.walk(folioAt(parent, 100));
  expect([found.length, candidates]).toEqual([1, 1]);
  expect(owner(parent, 100)).toBe(parent.mm.id);
  expect(parent.pageAt(at(100)).index).toBe(BASE + 100);
});

it('2: after a fork in both; after the copy of the child each by itself', () => {
  const child = parent.fork();
  const original = folioAt(parent, 100);
  expect(places(original, { parent, child })).toEqual(['child 100', 'parent 100']);
  child.write(at(100));
  expect(owner(child, 100)).toBe(child.mm.id);
  expect(places(folioAt(child, 100), { parent, child })).toEqual(['child 100']);
  expect(places(original, { parent, child })).toEqual(['parent 100']);
});

it('3: a move in the child is recorded in the child alone', () => {
  const child = parent.fork();
  move(child, 100, 500);
  expect(records(child)).toEqual([{ first: 100, end: 101, deltas: [400] }]);
  expect(records(parent)).toEqual([]);
  expect(places(folioAt(parent, 100), { parent, child })).toEqual(['child 500', 'parent 100']);
});

it('4: a fork derives the record of memory that had moved before', () => {
  move(parent, 100, 500);
  const child = parent.fork();
  for (const process of [parent, child]) expect(records(process)).toEqual([{ first: 100, end: 101, deltas: [400] }]);
  expect(places(folioAt(child, 500), { parent, child })).toEqual(['child 500', 'parent 500']);
});

it('5: there and back again leaves no record', () => {
  move(parent, 100, 500);
  move(parent, 500, 100);
  expect(records(parent)).toEqual([]);
  expect(places(folioAt(parent, 100), { parent })).toEqual(['parent 100']);
});

it('6: new memory at the place of birth is a candidate and no mapping', () => {
  const child = parent.fork();
  move(child, 100, 500);
  child.mapAt(at(100), PAGE_SIZE);
  child.write(at(100));
  const original = folioAt(parent, 100);
  expect(places(original, { parent, child })).toEqual(['child 500', 'parent 100']);
  expect(kernel.walk(original).candidates).toBe(3);
  expect(places(folioAt(child, 100), { parent, child })).toEqual(['child 100']);
});

it('7: the context of a dead parent leads to the child, and goes with the last page', () => {
  const child = parent.fork();
  parent.exit();
  const contexts = (): number => kernel.stats().slab.cow_context.live;
  expect(owner(child, 100)).toBe(0);
  expect(contexts()).toBe(2);
  expect(places(folioAt(child, 100), { child })).toEqual(['child 100']);
  child.exit();
  expect(contexts()).toBe(0);
});

it('8: a page that is used again belongs to the one that writes it', () => {
  const child = parent.fork();
  parent.exit();
  const folio = folioAt(child, 100);
  child.write(at(100));
  expect(folioAt(child, 100)).toBe(folio);
  expect(owner(child, 100)).toBe(child.mm.id);
  expect(places(folio, { child })).toEqual(['child 100']);
});

it('9: of a large folio of which half moved, each half is found where it is', () => {
  kernel = new Kernel({ strategy: cowContext(), thp: { orders: { 4: 'always' } } });
  parent = kernel.spawn();
  parent.mapAt(at(96), 16 * PAGE_SIZE);
  parent.write(at(96));
  const folio = folioAt(parent, 111);
  expect(folio).toBe(folioAt(parent, 96));
  move(parent, 104, 1104, 8);
  expect(records(parent)).toEqual([{ first: 104, end: 112, deltas: [1000] }]);
  expect(folioAt(parent, 1104)).toBe(folio);
  const expected = Array.from({ length: 8 }, (_, i) => [`parent ${96 + i}`, `parent ${1104 + i}`]).flat();
  expect(places(folio, { parent })).toEqual(expected.sort());
});

it("10: a child's page is looked for in it and in what it forked, not above or beside it", () => {
  const first = parent.fork();
  const second = parent.fork();
  first.write(at(100));
  const grandchild = first.fork();
  const folio = folioAt(first, 100);
  expect(places(folio, { parent, first, second, grandchild })).toEqual(['first 100', 'grandchild 100']);
  const before = kernel.stats().counts.context ?? 0;
  kernel.walk(folio);
  expect((kernel.stats().counts.context ?? 0) - before).toBe(2);
});

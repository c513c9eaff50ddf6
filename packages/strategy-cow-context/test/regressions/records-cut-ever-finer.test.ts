import { type Address, Kernel, MREMAP_FIXED, MREMAP_MAYMOVE, PAGE_SIZE, PROT_READ, type Process } from '@rmap-lab/core';
import { beforeEach, expect, it } from 'vitest';
import { cowContext } from '../../src/index.js';
import { Graph } from '../graph.js';

/*
 * 1. A record is cut where another begins or ends, as one index may have lived at several places.
 * 2. The other is dropped, and the cut stayed: a buffer that grows and moves on had one piece more each time, and so had memory
 *    whose place of birth others used after it.
 */
const at = (page: number): Address => (0x1000_0000 + page * PAGE_SIZE) as Address;
const move = (process: Process, from: number, pages: number, to: number, grown = pages): void => {
  process.mremap(at(from), pages * PAGE_SIZE, grown * PAGE_SIZE, { flags: MREMAP_MAYMOVE | MREMAP_FIXED, to: at(to) });
};

let kernel: Kernel;
let process: Process;
beforeEach(() => {
  kernel = new Kernel({ strategy: cowContext() });
  process = kernel.spawn();
});
const pieces = (): number => new Graph(kernel).ofMm(process.mm.id).remaps.length;

it('a buffer that grows and moves on has one record', () => {
  process.mapAt(at(0), PAGE_SIZE);
  process.write(at(0));
  for (let pages = 1; pages < 20; pages++) {
    move(process, (pages - 1) * 100, pages, pages * 100, pages + 1);
    process.write(at(pages * 101));
    expect(pieces()).toBe(1);
  }
  kernel.verify();
});

it('moved memory has one record, whatever lived at its place of birth after it', () => {
  process.mapAt(at(0), 16 * PAGE_SIZE);
  for (let page = 0; page < 16; page++) process.write(at(page));
  move(process, 0, 16, 100);
  for (let page = 1; page < 15; page++) {
    process.mapAt(at(page), PAGE_SIZE);
    process.write(at(page));
    move(process, page, 1, 200);
    expect(pieces()).toBe(3);
    process.munmap(at(200), PAGE_SIZE);
    expect(pieces()).toBe(1);
  }
  kernel.verify();
});

it('what is cut between two VMAs stays cut, as either may go', () => {
  process.mapAt(at(0), 8 * PAGE_SIZE);
  for (let page = 0; page < 8; page++) process.write(at(page));
  move(process, 0, 8, 100);
  process.mprotect(at(104), 4 * PAGE_SIZE, PROT_READ);
  process.mapAt(at(0), 4 * PAGE_SIZE);
  process.write(at(0));
  move(process, 0, 4, 200);
  process.munmap(at(200), 4 * PAGE_SIZE);
  expect(pieces()).toBe(2);
  process.munmap(at(100), 4 * PAGE_SIZE);
  expect(pieces()).toBe(1);
  kernel.verify();
});

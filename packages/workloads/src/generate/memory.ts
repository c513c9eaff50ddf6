import { addressOf, MAP_ANONYMOUS, MAP_PRIVATE, PAGE_SIZE, PROT_READ, PROT_WRITE, type Vpn } from '@rmap-lab/core';
import type { BodyRecord } from '../format.js';

/** First page of what generators map. */
const BASE = 0x7f000_0000;
const PROT = PROT_READ | PROT_WRITE;

/** First page of region `n`, of regions of `pages` pages with a page between two, so that none can merge. */
export const regionAt = (n: number, pages: number): number => BASE + n * (pages + 1);

/** A process maps private anonymous memory. */
export function map(process: number, first: number, pages: number): BodyRecord {
  const at = addressOf(first as Vpn);
  const args = [at, pages * PAGE_SIZE, PROT, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0];
  return { type: 'call', process, call: 'mmap', args, result: at };
}

/** A process unmaps memory. */
export const unmap = (process: number, first: number, pages: number): BodyRecord => ({
  type: 'call',
  process,
  call: 'munmap',
  args: [addressOf(first as Vpn), pages * PAGE_SIZE],
  result: 0,
});

/** A process reads or writes every page of a range, or every `stride`-th. */
export const touch = (process: number, access: 'read' | 'write', first: number, pages: number, stride = 1): BodyRecord => ({
  type: 'touch',
  process,
  first,
  count: Math.ceil(pages / stride),
  stride,
  write: access === 'write',
});

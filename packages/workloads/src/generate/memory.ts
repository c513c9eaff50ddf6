import {
  addressOf,
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  MREMAP_FIXED,
  MREMAP_MAYMOVE,
  PAGE_SIZE,
  PROT_READ,
  PROT_WRITE,
  type Vpn,
} from '@rmap-lab/core';
import type { BodyRecord, CallName, KernelRecord } from '../format.js';

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

const call = (process: number, name: CallName, args: readonly number[], result = 0): BodyRecord => ({
  type: 'call',
  process,
  call: name,
  args,
  result,
});

/** A process unmaps memory. */
export const unmap = (process: number, first: number, pages: number): BodyRecord =>
  call(process, 'munmap', [addressOf(first as Vpn), pages * PAGE_SIZE]);

/** A process changes the protection of memory. */
export const protect = (process: number, first: number, pages: number, prot: number): BodyRecord =>
  call(process, 'mprotect', [addressOf(first as Vpn), pages * PAGE_SIZE, prot]);

/** A process advises the kernel about memory. */
export const advise = (process: number, first: number, pages: number, advice: number): BodyRecord =>
  call(process, 'madvise', [addressOf(first as Vpn), pages * PAGE_SIZE, advice]);

/** A process moves memory, which may grow or shrink on the way. */
export function remap(process: number, first: number, pages: number, to: number, newPages: number): BodyRecord {
  const at = addressOf(to as Vpn);
  const args = [addressOf(first as Vpn), pages * PAGE_SIZE, newPages * PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, at];
  return call(process, 'mremap', args, at);
}

/** The kernel does something to a process's memory. */
export const act = (action: KernelRecord['action'], process: number, first: number, pages: number): BodyRecord => ({
  type: 'kernel',
  action,
  process,
  first,
  pages,
});

/** A process is forked. */
export const fork = (process: number, parent: number): BodyRecord => ({ type: 'process', process, parent, kind: 'fork' });

/** The process that is there from the start. */
export const spawn = (process: number): BodyRecord => ({ type: 'process', process, parent: null, kind: 'spawn' });

/** A process ends. */
export const exit = (process: number): BodyRecord => ({ type: 'exit', process });

/** A point at which to measure. */
export const mark = (name: string): BodyRecord => ({ type: 'mark', name });

/** A process reads or writes every page of a range, or every `stride`-th. */
export const touch = (process: number, access: 'read' | 'write', first: number, pages: number, stride = 1): BodyRecord => ({
  type: 'touch',
  process,
  first,
  count: Math.ceil(pages / stride),
  stride,
  write: access === 'write',
});

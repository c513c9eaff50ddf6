import { PAGE_SIZE, PROT_READ, PROT_WRITE } from '@rmap-lab/core';

/** One operation of process number `process`; kinds and the meaning of a, b, c: perform() in native/kernel-speed.c. */
export interface Operation {
  readonly process: number;
  readonly kind: 'm' | 'u' | 'p' | 'v' | 'w' | 'f' | 'x' | 'o';
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

/** What the real kernel and the model both run: process 0 is there, only `timed` is measured, and one process does all of that. */
export interface OperationList {
  readonly setup: readonly Operation[];
  readonly timed: readonly Operation[];
}

const READ_WRITE = PROT_READ | PROT_WRITE;
const make = (kind: Operation['kind'], a: number, b = 0, c = 0, process = 0): Operation => ({ process, kind, a, b, c });

/** Addresses of page number `n` of the memory that lists use: far from everything that a program has. */
export const page = (n: number): number => 0x10000000000 + n * PAGE_SIZE;

export const map = (at: number, pages: number): Operation => make('m', at, pages, READ_WRITE);
export const unmap = (at: number, pages: number): Operation => make('u', at, pages);
export const protect = (at: number, pages: number, prot: number): Operation => make('p', at, pages, prot);
export const move = (from: number, pages: number, to: number): Operation => make('v', from, pages, to);
export const write = (at: number, pages: number, process = 0): Operation => make('w', at, pages, 0, process);
export const fork = (child: number): Operation => make('f', child);
export const exit = (child: number): Operation => make('x', child);
export const pageOut = (at: number, pages: number, process: number): Operation => make('o', at, pages, 0, process);

/** What a run of a list did and took. */
export interface Lap {
  readonly nanoseconds: number;
  /** Calls of the timed part, a range of touches being one. */
  readonly calls: number;
  /** Pages that the timed part touched or paged out. */
  readonly pages: number;
  /** Pages of the timed part that are in swap afterwards. */
  readonly swapped: number;
}

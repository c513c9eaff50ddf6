import { beforeEach, describe, expect, it } from 'vitest';
import * as core from '../../src/index.js';
import { type Address, Kernel, MiB, MMAP_MIN_ADDR, PAGE_SIZE, type Process, TASK_SIZE } from '../../src/index.js';
import { errnoOf } from '../support/errno-of.js';
import { scanAll } from '../support/scan-all.js';

const PRIVATE = core.MAP_PRIVATE | core.MAP_ANONYMOUS;

let process: Process;

beforeEach(() => {
  process = new Kernel({ strategy: scanAll() }).spawn();
});

// Where nothing was left below, memory was put right below a stack, without the gap that stacks grow into, and never across the base.
describe('a mapping that does not fit below the base of mappings', () => {
  const base = (TASK_SIZE - 128 * MiB) as Address;
  const stack = (TASK_SIZE - MiB) as Address;
  const room = stack - base;
  const gap = 256 * PAGE_SIZE;

  beforeEach(() => {
    process.mmap(MiB, { at: stack, flags: PRIVATE | core.MAP_FIXED | core.MAP_GROWSDOWN });
  });
  const fillBelow = (end: number): Address =>
    process.mmap(end - MMAP_MIN_ADDR, {
      at: MMAP_MIN_ADDR as Address,
      prot: core.PROT_NONE,
      flags: PRIVATE | core.MAP_FIXED | core.MAP_NORESERVE,
    });

  it('lies there where there is room below', () => expect(process.mmap(PAGE_SIZE)).toBe(base - PAGE_SIZE));
  it('goes above it, and leaves the gap of a stack free', () => {
    fillBelow(base);
    expect(process.mmap(room - gap)).toBe(base);
  });
  it('is refused where only the gap is left', () => {
    fillBelow(base);
    expect(errnoOf(() => process.mmap(room - gap + PAGE_SIZE))).toBe('ENOMEM');
  });
  it('lies across the base where only the hole around it is large enough', () => {
    fillBelow(base - MiB);
    expect(process.mmap(room - gap + MiB)).toBe(base - MiB);
  });
});

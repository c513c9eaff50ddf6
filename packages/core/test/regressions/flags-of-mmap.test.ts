import { beforeEach, describe, expect, it } from 'vitest';
import * as core from '../../src/index.js';
import { type Address, Kernel, PAGE_SIZE, type Process } from '../../src/index.js';
import { VM_NOHUGEPAGE } from '../../src/vma/vm-flags.js';
import { scanAll } from '../support/scan-all.js';

const BASE = 0x30000000 as Address;
const PRIVATE = core.MAP_PRIVATE | core.MAP_ANONYMOUS;

let process: Process;

beforeEach(() => {
  process = new Kernel({ strategy: scanAll() }).spawn();
});

// MAP_STACK had no meaning, and the memory of threads' stacks merged with what lay beside it and got large folios.
describe('MAP_STACK', () => {
  it('keeps large folios out, and so the mapping apart from others', () => {
    process.mmap(2 * PAGE_SIZE, { at: BASE, flags: PRIVATE | core.MAP_FIXED | core.MAP_STACK });
    process.mapAt((BASE + 2 * PAGE_SIZE) as Address, 2 * PAGE_SIZE);
    expect(process.vmas().map(({ flags }) => (flags & VM_NOHUGEPAGE) !== 0)).toEqual([true, false]);
  });
});

// MAP_NONBLOCK was not looked at: its mappings were faulted in.
describe('MAP_NONBLOCK', () => {
  const faultedIn = (flags: number): boolean => {
    const at = process.mmap(PAGE_SIZE, { flags: PRIVATE | flags });
    return process.pageAt(at).kind !== 'none';
  };
  it('takes MAP_POPULATE back, but not MAP_LOCKED', () => {
    expect(faultedIn(core.MAP_POPULATE)).toBe(true);
    expect(faultedIn(core.MAP_POPULATE | core.MAP_NONBLOCK)).toBe(false);
    expect(faultedIn(core.MAP_LOCKED | core.MAP_NONBLOCK)).toBe(true);
  });
});

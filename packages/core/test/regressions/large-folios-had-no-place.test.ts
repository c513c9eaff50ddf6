import { beforeEach, describe, expect, it } from 'vitest';
import * as core from '../../src/index.js';
import { type Address, Kernel, MiB, MMAP_MIN_ADDR, PAGE_SIZE, type Process, TASK_SIZE } from '../../src/index.js';
import { scanAll } from '../support/scan-all.js';

const LEAF = 2 * MiB;
const BASE = (TASK_SIZE - 128 * MiB) as Address;
const PRIVATE = core.MAP_PRIVATE | core.MAP_ANONYMOUS;

let process: Process;

beforeEach(() => {
  process = new Kernel({ strategy: scanAll() }).spawn();
});

// Memory that was put anywhere began at any page, so that even memory of whole leaf tables had no room for a folio of PMD size
// but in its midst; the kernel looks for an aligned place (thp_get_unmapped_area_vmflags).
describe('memory of whole leaf tables', () => {
  it('begins at one, one right below the other', () => {
    const first = process.mmap(LEAF);
    expect(first).toBe(Math.floor((BASE - 2 * LEAF) / LEAF) * LEAF + LEAF);
    expect(process.mmap(LEAF)).toBe(first - LEAF);
  });
  it('gets a folio of PMD size', () => {
    const at = process.mmap(LEAF);
    process.madvise(at, LEAF, core.MADV_HUGEPAGE);
    process.write(at);
    expect(process.pageAt(at).byPmd).toBe(true);
  });
  it('is moved to such a place', () => {
    const at = process.mmap(PAGE_SIZE);
    process.mapAt((at + PAGE_SIZE) as Address, PAGE_SIZE);
    expect(process.mremap(at, PAGE_SIZE, LEAF, { flags: core.MREMAP_MAYMOVE }) % LEAF).toBe(0);
  });
  it('lies anywhere else where the room is too small for that', () => {
    process.mmap(BASE - LEAF - MMAP_MIN_ADDR, {
      at: MMAP_MIN_ADDR as Address,
      prot: core.PROT_NONE,
      flags: PRIVATE | core.MAP_FIXED | core.MAP_NORESERVE,
    });
    process.mmap(TASK_SIZE - BASE, { at: BASE, flags: PRIVATE | core.MAP_FIXED });
    expect(process.mmap(LEAF)).toBe(BASE - LEAF);
  });
  it('is not aligned where it is longer, shared, or has a hint that is taken', () => {
    expect(process.mmap(LEAF + PAGE_SIZE)).toBe(BASE - LEAF - PAGE_SIZE);
    const shared = process.mmap(LEAF, { flags: core.MAP_SHARED | core.MAP_ANONYMOUS });
    expect(shared).toBe(BASE - 2 * LEAF - PAGE_SIZE);
    expect(process.mmap(LEAF, { at: shared })).toBe(shared - LEAF);
  });
});

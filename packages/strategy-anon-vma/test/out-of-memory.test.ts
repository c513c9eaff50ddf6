import { KernelError, type RmapServices, type RmapStrategy } from '@rmap-lab/core';
import { describe, expect, it } from 'vitest';
import { anonVma } from '../src/index.js';
import { brokenInvariant } from './invariants.js';
import { Lab, NOTHING } from './lab.js';

/** The same design on a machine that has nothing in reserve: what may not wait for memory never gets any. */
function withoutReserves(): RmapStrategy {
  const strategy = anonVma();
  return {
    ...strategy,
    create: (services) => {
      const slab = services.slab.bind(services);
      const bare: RmapServices['slab'] = (name, options) => Object.assign(slab(name, options), { tryAlloc: () => null });
      return strategy.create(Object.assign(services, { slab: bare }));
    },
  };
}

/** Three generations, the last with a chain of three links. */
const LINE = 'map 10-20; write 10-20; fork; 1: fork; 2: write 12';

const operations: readonly (readonly [setup: string, operation: string, by: number])[] = [
  ['map 10-20', 'write 13', 0],
  ['map 10-15; write 10; map 15-20 rwx', 'write 15', 0],
  [LINE, '2: fork', 3],
  [`${LINE}; 1: exit`, '2: fork', 3],
  [`${LINE}; 2: protect 12-14 ro`, '2: fork', 3],
  [LINE, '2: protect 14-16 ro', 2],
  [LINE, '2: unmap 14-16', 2],
  [LINE, '2: move 14-16 100', 2],
  [LINE, '2: move-dontunmap 10-20 100', 2],
  ['map 13-16; write 13-16; move 13-16 100; map 10-13', 'move 100-103 13', 0],
  ['map 10-13; map 16-19; write 16', 'map 13-16', 0],
  ['map 10-13 ro noreserve; map 13-16 noreserve; write 13', 'protect 13-16 ro', 0],
];

/** Makes the n-th allocation of `operation` fail; whether it did. */
function fails(lab: Lab, operation: string, n: number): boolean {
  lab.kernel.failNextAllocation(n);
  try {
    lab.run(operation);
    return false;
  } catch (error) {
    if (!(error instanceof KernelError && error.errno === 'ENOMEM')) throw error;
    return true;
  } finally {
    lab.kernel.failNextAllocation(0);
  }
}

describe.each([
  ['', anonVma],
  [', with nothing in reserve', withoutReserves],
])('running out of memory at any allocation%s', (_, strategy) => {
  it.each(operations)('after "%s" in "%s" leaves everything right, and doing it again works', (setup, operation, by) => {
    const wanted = new Lab().run(`${setup}; ${operation}; ${by}: vmas`);
    let tried = 0;
    for (let reached = true; reached; ) {
      const n = tried + 1;
      const lab = new Lab({ strategy: strategy() });
      lab.run(setup);
      const before = lab.kernel.allocations;
      const failed = fails(lab, operation, n);
      reached = lab.kernel.allocations - before >= n;
      if (reached) tried = n;
      lab.kernel.verify();
      expect(brokenInvariant(lab.kernel), `allocation ${n}`).toBeNull();
      if (failed) expect(lab.run(`${operation}; ${by}: vmas`), `again after allocation ${n}`).toBe(wanted);
      expect(lab.end(), `allocation ${n}`).toBe(NOTHING);
    }
    expect(tried).toBeGreaterThan(0);
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Address, ContractViolation, Kernel, MADV_HUGEPAGE, MREMAP_FIXED, MREMAP_MAYMOVE, PAGE_SIZE } from '../src/index.js';
import { ProgramRun } from '../src/program/run-program.js';
import { programs } from './support/arbitrary.js';
import { scanAll } from './support/scan-all.js';

const AT = 0x100000000000 as Address;

describe('a check of what changed', () => {
  test('sees everything at first, and then only what an operation touched', () => {
    const kernel = new Kernel({ strategy: scanAll() });
    const process = kernel.spawn();
    process.mapAt(AT, 8 * PAGE_SIZE);
    for (let i = 0; i < 4; i++) process.write((AT + i * PAGE_SIZE) as Address);
    expect(kernel.verifyChanges()).toMatchObject({ folios: 4, mappings: 4 });
    expect(kernel.verifyChanges()).toMatchObject({ folios: 0 });
    process.write((AT + 5 * PAGE_SIZE) as Address);
    expect(kernel.verifyChanges()).toMatchObject({ folios: 1, mappings: 1 });
    const child = process.fork();
    expect(kernel.verifyChanges()).toMatchObject({ folios: 5, mappings: 10 });
    child.write(AT);
    expect(kernel.verifyChanges()).toMatchObject({ folios: 2, mappings: 2 });
    child.exit();
    expect(kernel.verifyChanges()).toMatchObject({ folios: 4 });
  });

  test('sees tables that move as a whole, and folios of PMD size', () => {
    const kernel = new Kernel({ strategy: scanAll() });
    const process = kernel.spawn();
    const size = 512 * PAGE_SIZE;
    process.mapAt(AT, size);
    process.write(AT);
    process.mapAt((AT + 4 * size) as Address, size);
    process.madvise((AT + 4 * size) as Address, size, MADV_HUGEPAGE);
    process.write((AT + 4 * size) as Address);
    expect(kernel.verifyChanges()).toMatchObject({ folios: 2, mappings: 2 });
    process.mremap(AT, size, size, { flags: MREMAP_MAYMOVE | MREMAP_FIXED, to: (AT + 2 * size) as Address });
    expect(kernel.verifyChanges().folios).toBe(1);
    process.munmap((AT + 4 * size) as Address, 16 * PAGE_SIZE);
    expect(kernel.verifyChanges()).toMatchObject({ folios: 1, mappings: 496 });
  });

  test('throws when a walk misses a new entry, and not again for an old one', () => {
    const blind = { on: false };
    const strategy = scanAll();
    const kernel = new Kernel({
      strategy: {
        ...strategy,
        create(services) {
          const rmap = strategy.create(services);
          const walk = rmap.walk.bind(rmap);
          rmap.walk = function* (hold, query, visitor) {
            if (!blind.on) yield* walk(hold, query, visitor);
          };
          return rmap;
        },
      },
    });
    const process = kernel.spawn();
    process.mapAt(AT, 8 * PAGE_SIZE);
    process.write(AT);
    kernel.verifyChanges();
    blind.on = true;
    process.write((AT + PAGE_SIZE) as Address);
    expect(() => kernel.verifyChanges()).toThrow(ContractViolation);
    expect(kernel.verifyChanges().folios).toBe(0);
  });

  test('agrees with the full check after every operation of random programs', () => {
    fc.assert(
      fc.property(programs(40), (program) => {
        const kernel = new Kernel({ strategy: scanAll() });
        const run = new ProgramRun(kernel);
        for (const operation of program) {
          run.apply(operation);
          kernel.verifyChanges();
        }
        const { folios, mappings } = kernel.verify();
        // A second look from scratch counts all that are mapped.
        expect({ folios: [...kernel.folios()].length }).toEqual({ folios });
        expect(mappings).toBeGreaterThanOrEqual(folios);
      }),
      { numRuns: 200 },
    );
  });
});

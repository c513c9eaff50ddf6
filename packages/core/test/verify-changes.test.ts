import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Address, ContractViolation, Kernel, MADV_HUGEPAGE, MREMAP_FIXED, MREMAP_MAYMOVE, PAGE_SIZE } from '../src/index.js';
import type { Machine } from '../src/machine.js';
import { ProgramRun } from '../src/program/run-program.js';
import { programs } from './support/arbitrary.js';
import { scanAll } from './support/scan-all.js';

const AT = 0x100000000000 as Address;

const machineOf = (kernel: Kernel): Machine => (kernel as unknown as { machine: Machine }).machine;

describe('page tables', () => {
  test('are all gone when everybody has exited, however far apart the memory was', () => {
    const kernel = new Kernel({ strategy: scanAll() });
    const process = kernel.spawn();
    for (const distance of [0, 1, 2, 3 * 512, 512 * 512 + 7, 5 * 512 ** 3]) {
      process.mapAt((AT + distance * 4 * PAGE_SIZE) as Address, PAGE_SIZE);
      process.write((AT + distance * 4 * PAGE_SIZE) as Address);
    }
    process.fork().exec();
    expect(kernel.verify().wrong).toBe(0);
    for (const each of [...kernel.processes]) each.exit();
    expect(kernel.stats().tables.live).toBe(0);
  });

  test('that nothing uses are found by the full check', () => {
    const kernel = new Kernel({ strategy: scanAll() });
    machineOf(kernel).tables.alloc();
    expect(kernel.check().problems.join()).toContain('1 page tables are allocated, 0 are in use');
  });
});

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

  test('is itself held against the truth by the full check: a change that was not noted is found', () => {
    const kernel = new Kernel({ strategy: scanAll() });
    const process = kernel.spawn();
    process.mapAt(AT, 8 * PAGE_SIZE);
    process.write(AT);
    kernel.verifyChanges();
    machineOf(kernel).tables.changes = null;
    process.write((AT + PAGE_SIZE) as Address);
    expect(kernel.check()).toMatchObject({ missed: 0, wrong: 1 });
    expect(kernel.check().problems.join()).toContain('0 + 0 times as far as was noted');
  });

  test('keeps what was written however long nobody asks', () => {
    const kernel = new Kernel({ strategy: scanAll() });
    const process = kernel.spawn();
    process.mapAt(AT, 2048 * PAGE_SIZE);
    process.write(AT);
    kernel.verifyChanges();
    for (let i = 0; i < 3 * 2048; i++) process.write((AT + (i % 2048) * PAGE_SIZE) as Address);
    expect(kernel.verifyChanges()).toMatchObject({ folios: 2047, mappings: 2047 });
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

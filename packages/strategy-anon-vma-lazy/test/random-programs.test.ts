import { Kernel, type KernelOptions, type Operation, ProgramRun, programToCode } from '@rmap-lab/core';
import fc from 'fast-check';
import { describe, it } from 'vitest';
import { anonVmaLazy } from '../src/index.js';
import { brokenInvariant } from './invariants.js';
import { programs } from './programs.js';

const RUNS = Number(process.env.RMAP_LAB_RUNS ?? 300);

const start = (options: Partial<KernelOptions> = {}): ProgramRun =>
  new ProgramRun(new Kernel({ strategy: anonVmaLazy(), ...options }));

/** After an operation: walks equal the page tables, and roots, chains and trees are sound. */
function check({ kernel }: ProgramRun, bases?: Map<string, number>): void {
  kernel.verify();
  const broken = brokenInvariant(kernel, bases);
  if (broken !== null) throw new Error(`${broken}\n${kernel.draw()}`);
}

function checkEnd({ kernel, processes }: ProgramRun): void {
  kernel.finishMigrations();
  for (const process of [...processes]) process.exit();
  kernel.ksmUnmerge();
  const left = Object.entries(kernel.stats().slab).filter(([, { live }]) => live > 0);
  if (left.length > 0) throw new Error(`left behind: ${JSON.stringify(left)}`);
}

function examples(length: number, test: (program: readonly Operation[]) => void): void {
  fc.assert(fc.property(programs(length), test), {
    numRuns: RUNS,
    reporter: ({ failed, seed, counterexample, errorInstance }) => {
      if (!failed) return;
      const [program] = counterexample as [readonly Operation[]];
      throw new Error(`seed ${seed}: ${JSON.stringify(program)}\n${programToCode(program)}\n${String(errorInstance)}`);
    },
  });
}

describe('random programs over process trees', { timeout: 120_000 }, () => {
  it.each([
    ['', {}],
    [' step by step', { stepping: true }],
    [' in checked mode', { checked: true }],
    [' with private file pages keyed by an offset of their own', { anonOffset: 'own' as const }],
    [' with folios of 4 and 8 pages', { thp: { orders: { 2: 'always', 3: 'always' } } as const }],
    [' with folios of 4 pages step by step', { stepping: true, thp: { orders: { 2: 'always' } } as const }],
  ])('keep walks, roots, chains and trees right, and leave nothing behind%s', (_, options) => {
    examples(50, (program) => {
      const run = start(options);
      const bases = new Map<string, number>();
      for (const operation of program) {
        run.apply(operation);
        check(run, bases);
      }
      checkEnd(run);
    });
  });

  it('keep walks, roots, chains and trees right with folios of PMD size', () => {
    examples(40, (program) => {
      const run = start({ thp: { enabled: 'always', orders: { 3: 'inherit', 9: 'inherit' } } });
      for (const operation of program) run.apply(larger(operation));
      check(run);
      checkEnd(run);
    });
  });
});

/** The same with half a leaf table for every page, and pages of it touched. */
function larger(operation: Operation): Operation {
  const times = 256;
  const changed: Record<string, unknown> = { ...operation };
  for (const key of ['at', 'to', 'pages', 'newPages']) {
    const value = changed[key];
    if (typeof value === 'number' && operation.op !== 'brk') changed[key] = value * times;
  }
  return changed as unknown as Operation;
}

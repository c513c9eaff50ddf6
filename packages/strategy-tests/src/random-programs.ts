import { Kernel, type KernelOptions, type Operation, ProgramRun, programToCode } from '@rmap-lab/core';
import fc from 'fast-check';
import { describe, it } from 'vitest';
import { programs } from './programs.js';
import type { Subject } from './subject.js';

const RUNS = Number(process.env.RMAP_LAB_RUNS ?? 100);

const MODES: readonly (readonly [name: string, options: Partial<KernelOptions>])[] = [
  ['', {}],
  [' step by step', { stepping: true }],
  [' in checked mode', { checked: true }],
  [' with private file pages keyed by an offset of their own', { anonOffset: 'own' }],
  [' with folios of 4 and 8 pages', { thp: { orders: { 2: 'always', 3: 'always' } } }],
  [' with folios of 4 pages step by step', { stepping: true, thp: { orders: { 2: 'always' } } }],
];

/** Describes: after every operation of random programs walks equal the page tables and the invariants hold; at the end nothing is left. */
export function randomPrograms({ strategy, audit }: Subject): void {
  describe('random programs over process trees', { timeout: 120_000 }, () => {
    it.each(MODES)('keep walks and invariants right, and leave nothing behind%s', (_, options) => {
      examples(50, (program) => {
        const run = new ProgramRun(new Kernel({ strategy: strategy(), ...options }));
        const look = audit();
        for (const operation of program) {
          run.apply(operation);
          check(run, look);
        }
        checkEnd(run);
      });
    });

    it('keep walks and invariants right with folios of PMD size', () => {
      examples(40, (program) => {
        const thp = { enabled: 'always', orders: { 3: 'inherit', 9: 'inherit' } } as const;
        const run = new ProgramRun(new Kernel({ strategy: strategy(), thp }));
        for (const operation of program) run.apply(larger(operation));
        check(run, audit());
        checkEnd(run);
      });
    });
  });
}

function check({ kernel }: ProgramRun, look: (kernel: Kernel) => string | null): void {
  kernel.verify();
  const broken = look(kernel);
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

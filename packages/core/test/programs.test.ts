import fc from 'fast-check';
import { describe, it } from 'vitest';
import { Kernel, type KernelOptions, type Operation, ProgramRun, programToCode } from '../src/index.js';
import { programs } from './support/arbitrary.js';
import { pageList } from './support/page-list.js';
import { scanAll } from './support/scan-all.js';

const RUNS = Number(process.env.RMAP_LAB_RUNS ?? 150);

/** Runs a program on two kinds of machine at once; they must answer and look alike after every operation. */
function compare(program: readonly Operation[], left: Partial<KernelOptions>, right: Partial<KernelOptions>): void {
  const [a, b] = [left, right].map((options) => new ProgramRun(new Kernel({ strategy: scanAll(), ...options })));
  program.forEach((operation, i) => {
    const [x, y] = [a.apply(operation), b.apply(operation)];
    if (x !== y) throw new Error(`operation ${i} (${operation.op}) answers ${x} and ${y}`);
    const [before, after] = [a.kernel.draw(), b.kernel.draw()];
    if (before !== after)
      throw new Error(`after operation ${i} (${operation.op}) the machines differ:\n${before}\n--- and ---\n${after}`);
  });
}

const examples = <T>(check: (program: readonly Operation[]) => T, maxLength = 40): void =>
  fc.assert(
    fc.property(programs(maxLength), (program) => void check(program)),
    {
      numRuns: RUNS,
      reporter: (run) => {
        if (!run.failed) return;
        const [program] = run.counterexample as [readonly Operation[]];
        throw new Error(
          `seed ${run.seed}, path ${run.counterexamplePath}\n${programToCode(program)}\n${String(run.errorInstance)}`,
        );
      },
    },
  );

/** Ends everything: migrations, processes, and what KSM pins. */
function finish({ kernel, processes }: ProgramRun): void {
  kernel.finishMigrations();
  for (const process of [...processes]) process.exit();
  kernel.ksmUnmerge();
}

/** Large folios wherever they fit: of 4 and 16 pages, and of PMD size. */
const thp = { enabled: 'always', orders: { 2: 'inherit', 4: 'inherit', 9: 'inherit' } } as const;

describe('random programs over process trees', { timeout: 120_000 }, () => {
  it('keep every invariant, and every walk equals the page tables, after every operation', () => {
    examples((program) => {
      const run = new ProgramRun(new Kernel({ strategy: scanAll() }));
      for (const operation of program) {
        run.apply(operation);
        run.kernel.verify();
      }
    });
  });

  it('leave nothing behind when the last process exits', () => {
    examples((program) => {
      const run = new ProgramRun(new Kernel({ strategy: scanAll() }));
      for (const operation of program) run.apply(operation);
      finish(run);
      const { slab, tables, zombies } = run.kernel.stats();
      const left = Object.entries(slab).filter(([, { live }]) => live > 0);
      if (left.length > 0 || tables.live > 0 || zombies > 0)
        throw new Error(`left: ${JSON.stringify({ left, tables, zombies })}`);
      run.kernel.verify();
    });
  });

  it('end in the same state with the fast fault path on and off', () => {
    examples((program) => compare(program, { fastFault: true }, { fastFault: false }));
  });

  it('end in the same state step by step', () => {
    examples((program) => compare(program, {}, { stepping: true }));
  });

  it('survive the failure of any one allocation: walks stay right, and nothing is left at the end', () => {
    fc.assert(
      fc.property(programs(30), fc.integer({ min: 1, max: 120 }), (program, n) => {
        const run = new ProgramRun(new Kernel({ strategy: scanAll() }));
        run.kernel.failNextAllocation(n);
        for (const operation of program) {
          run.apply(operation);
          run.kernel.verify();
        }
        finish(run);
        const { slab, tables, zombies } = run.kernel.stats();
        const left = Object.entries(slab).filter(([, { live }]) => live > 0);
        if (left.length > 0 || tables.live > 0 || zombies > 0)
          throw new Error(`left: ${JSON.stringify({ left, tables, zombies })}`);
      }),
      { numRuns: RUNS },
    );
  });

  it('touch no freed object', () => {
    examples((program) => {
      const run = new ProgramRun(new Kernel({ strategy: scanAll(), checked: true }));
      for (const operation of program) run.apply(operation);
      run.kernel.verify();
    });
  });

  it('keep every invariant with private file pages keyed by an offset of their own', () => {
    examples((program) => {
      const run = new ProgramRun(new Kernel({ strategy: scanAll(), anonOffset: 'own' }));
      for (const operation of program) run.apply(operation);
      run.kernel.verify();
    });
  });

  it.each([{}, { thp }])('announce every entry to a strategy that keeps lists of them: %j', (options) => {
    examples((program) => {
      const run = new ProgramRun(new Kernel({ strategy: pageList(), ...options }));
      for (const operation of program) {
        run.apply(operation);
        run.kernel.verify();
      }
      finish(run);
      run.kernel.verify();
    });
  });

  it('keep every invariant with large folios, after every operation', () => {
    examples((program) => {
      const run = new ProgramRun(new Kernel({ strategy: scanAll(), thp }));
      for (const operation of program) {
        run.apply(operation);
        run.kernel.verify();
      }
      finish(run);
      const { slab, tables, pages } = run.kernel.stats();
      const left = Object.entries(slab).filter(([, { live }]) => live > 0);
      if (left.length > 0 || tables.live > 0) throw new Error(`left: ${JSON.stringify({ left, tables, pages })}`);
    });
  });

  it('end in the same state step by step, with large folios', () => {
    examples((program) => compare(program, { thp }, { thp, stepping: true }));
  });

  it('survive the failure of any one allocation with large folios', () => {
    fc.assert(
      fc.property(programs(30), fc.integer({ min: 1, max: 120 }), (program, n) => {
        const run = new ProgramRun(new Kernel({ strategy: scanAll(), thp, checked: true }));
        run.kernel.failNextAllocation(n);
        for (const operation of program) {
          run.apply(operation);
          run.kernel.verify();
        }
        finish(run);
        const { slab, tables } = run.kernel.stats();
        const left = Object.entries(slab).filter(([, { live }]) => live > 0);
        if (left.length > 0 || tables.live > 0) throw new Error(`left: ${JSON.stringify({ left, tables })}`);
      }),
      { numRuns: RUNS },
    );
  });
});

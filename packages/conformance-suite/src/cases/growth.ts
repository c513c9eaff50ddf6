import { type Address, type Cost, type Growth, Kernel, PAGE_SIZE, type Process, type RmapStrategy } from '@rmap-lab/core';
import { CaseFailure, type ConformanceCase } from '../case.js';

export const at = (page: number): Address => (0x10000000 + page * PAGE_SIZE) as Address;

/** A process that has written the first of four pages. */
export function writer(kernel: Kernel): Process {
  const process = kernel.spawn();
  process.mapAt(at(0), 4 * PAGE_SIZE);
  process.write(at(0));
  return process;
}

/** VMAs that a walk looks at for the page that `process` has at `at(0)`. */
function candidates(kernel: Kernel, process: Process): number {
  const folio = process.folioAt(at(0));
  if (folio === null) throw new CaseFailure('a page that was written is not mapped');
  return kernel.walk(folio).candidates;
}

/** Locks that were taken so far, of all classes. */
const locks = (kernel: Kernel): number =>
  Object.values(kernel.stats().locks).reduce((sum, { reads, writes }) => sum + reads + writes, 0);

/** The same, and the locks that the walk takes: who looks for the page in vain need not show a VMA. */
export function lookedAt(kernel: Kernel, process: Process): number {
  const before = locks(kernel);
  const vmas = candidates(kernel, process);
  return vmas + locks(kernel) - before;
}

/** Objects of the strategy alone. */
export function objects(kernel: Kernel): number {
  const { vm_area_struct: _vmas, mm_struct: _mms, ...own } = kernel.stats().slab;
  return Object.values(own).reduce((sum, { live }) => sum + live, 0);
}

/** How a cost is measured, with n of what it may grow with. */
export const MEASURES: Readonly<Record<Cost, (strategy: RmapStrategy, n: number) => number>> = {
  vmas: (strategy, n) => {
    const kernel = new Kernel({ strategy });
    const process = kernel.spawn();
    for (let i = 0; i < n; i++) {
      process.mapAt(at(2 * i), PAGE_SIZE);
      process.write(at(2 * i));
    }
    return objects(kernel);
  },
  children: (strategy, n) => {
    const kernel = new Kernel({ strategy });
    const parent = writer(kernel);
    for (let i = 0; i < n; i++) parent.fork().write(at(0));
    return objects(kernel);
  },
  depth: (strategy, n) => {
    const kernel = new Kernel({ strategy });
    let process = writer(kernel);
    for (let i = 0; i < n; i++) {
      process = process.fork();
      process.write(at(0));
    }
    return objects(kernel);
  },
  generations: (strategy, n) => {
    const kernel = new Kernel({ strategy });
    let process = writer(kernel);
    for (let i = 0; i < n; i++) {
      const child = process.fork();
      child.write(at(1));
      process.exit();
      process = child;
    }
    return objects(kernel);
  },
  siblings: (strategy, n) => {
    const kernel = new Kernel({ strategy });
    const parent = writer(kernel);
    let last = parent;
    for (let i = 0; i < n; i++) {
      last = parent.fork();
      last.write(at(0));
    }
    return candidates(kernel, last);
  },
};

const POWERS: Readonly<Record<Growth, number>> = { constant: 0, linear: 1, quadratic: 2 };
const [FEW, MANY] = [16, 64];
/** Of the power: what is left of terms of lower order at these sizes. */
const TOLERANCE = 0.15;

/** What is wrong with one promise; null: it is kept. */
function broken(strategy: RmapStrategy, cost: string, growth: string): string | null {
  if (!Object.hasOwn(MEASURES, cost)) return `'${cost}' is no cost: one of ${Object.keys(MEASURES).join(', ')}`;
  if (!Object.hasOwn(POWERS, growth)) return `${cost}: '${growth}' is no growth: one of ${Object.keys(POWERS).join(', ')}`;
  const measure = MEASURES[cost as Cost];
  const [few, many] = [measure(strategy, FEW), measure(strategy, MANY)];
  const most = few * (MANY / FEW) ** (POWERS[growth as Growth] + TOLERANCE);
  return many <= most ? null : `${cost} is declared ${growth}, and is ${few} with ${FEW} and ${many} with ${MANY}`;
}

/** A strategy is held to what it declares itself, beside the bounds that hold for all. */
export const declaredGrowth: ConformanceCase = {
  id: 'scale/declared-growth',
  level: 'scale',
  rule: 'R17',
  strength: 'must',
  needs: [],
  title: 'costs grow no faster than the strategy declares',
  why: 'links in a line of forks grow with its square in anon_vma_fork, and who replaces it claims less',
  unverifiable: ({ growth = {} }) => (Object.keys(growth).length > 0 ? null : 'the strategy declares no growth'),
  run: ({ strategy }) => {
    const wrong = Object.entries(strategy.growth ?? {})
      .map(([cost, growth]) => broken(strategy, cost, growth))
      .filter((text) => text !== null);
    if (wrong.length > 0) throw new CaseFailure(wrong.join('; '));
  },
};

import {
  type Address,
  interleave,
  Kernel,
  type KernelOptions,
  type Op,
  PAGE_SIZE,
  PROT_READ,
  type Process,
  type RmapStrategy,
  TASK_SIZE,
  type WalkResult,
} from '@rmap-lab/core';
import { scheduler } from '@rmap-lab/strategy-tests';
import { describe, expect, it } from 'vitest';
import { anonVmaLazy, type LazyOptions, PRESETS } from '../src/index.js';
import { at, folioAt, map, move, UNACCOUNTED } from './places.js';

/** What each switch does, by its name. Every other answer is that of `intended`. */
const FOUR: Partial<KernelOptions> = { thp: { orders: { 2: 'always' } } };
const LAZY = 2 ** 30;

function machine(
  options: Partial<LazyOptions>,
  kernelOptions: Partial<KernelOptions> = {},
): { kernel: Kernel; process: Process } {
  const kernel = new Kernel({ strategy: anonVmaLazy({ ...PRESETS.intended, ...options }), ...kernelOptions });
  return { kernel, process: kernel.spawn() };
}
const isLazy = (process: Process, page: number): boolean => (process.pageAt(at(page)).anchor as number) > LAZY;
/** Read and write acquisitions of a class while `work` runs. */
function taken(kernel: Kernel, lock: string, work: () => void): { reads: number; writes: number } {
  const count = () => kernel.stats().locks[lock] ?? { reads: 0, writes: 0 };
  const before = { ...count() };
  work();
  return { reads: count().reads - before.reads, writes: count().writes - before.writes };
}

it('all of them are as the author states where they are left out', () => {
  expect(PRESETS.stated).toEqual({
    lookup: 'firstInRange',
    retry: 'once',
    walkLock: 'refOnly',
    migrationLock: 'vmaReadCovering',
    base: 'live',
    childFolio: 'lazyChild',
    reuse: 'keep',
    mremapFix: 'pte',
    swapinFix: 'off',
    mergeRule: 'sameRootOrNone',
    preferRoot: 'off',
    maxVmaPages: Number.POSITIVE_INFINITY,
    upgrade: 'vma',
  });
  expect(anonVmaLazy({}).prepareUnder).toBe(anonVmaLazy('stated').prepareUnder);
});

it.each([
  ['refOnly', 0, 0],
  ['vmaRead', 1, 0],
  ['hashedLock', 0, 1],
] as const)('walkLock: %s', (walkLock, vma, table) => {
  const { kernel, process } = machine({ walkLock });
  map(process, 0, 1);
  const walk = (): void => void kernel.referenced(folioAt(process, 0));
  expect([taken(kernel, 'vma', walk).reads, taken(kernel, 'anon_vma_locks', walk).reads]).toEqual([vma, table]);
});

describe('migrationLock', () => {
  it.each([
    ['vmaReadCovering', 2],
    ['vmaReadRoot', 1],
    ['refOnly', 0],
  ] as const)('%s: %i VMAs are locked to migrate a folio over a cut', (migrationLock, n) => {
    const { kernel, process } = machine({ migrationLock }, FOUR);
    map(process, 0, 4);
    process.mprotect(at(2), 2 * PAGE_SIZE, PROT_READ);
    expect(taken(kernel, 'vma', () => void kernel.migrate(folioAt(process, 0))).reads).toBe(n);
  });

  it('vmaReadRoot: folios of a root that is not mapped any more can not be moved (X8)', () => {
    const moved = (migrationLock: LazyOptions['migrationLock']): boolean => {
      const { kernel, process } = machine({ migrationLock });
      map(process, 0, 4);
      process.munmap(at(0), 2 * PAGE_SIZE);
      process.munmap(at(2), PAGE_SIZE);
      const left = process.vmas().find(({ start }) => start === at(3));
      expect(left).toBeDefined();
      return kernel.migrate(folioAt(process, 3)) !== null;
    };
    expect([moved('vmaReadCovering'), moved('refOnly'), moved('vmaReadRoot')]).toEqual([true, true, false]);
  });
});

/** In how many of 300 schedules the walk of a page that stays mapped finds nothing, or something is wrong at the end. */
function failures(
  options: Partial<LazyOptions>,
  scene: (kernel: Kernel, process: Process) => Record<string, Op<unknown>>,
): number {
  let failed = 0;
  for (let seed = 1; seed <= 300; seed++) {
    const { kernel, process } = machine(options, { stepping: true });
    const ends = interleave(kernel, scene(kernel, process), scheduler(seed));
    const walk = ends.walk as { value: WalkResult } | undefined;
    if (walk?.value.found.length === 0 || kernel.check().problems.length > 0) failed++;
  }
  return failed;
}

it('base: a copy does not tear while the root changes at its front, which helps where the page lies in another VMA (X12)', () => {
  const scene = (kernel: Kernel, process: Process) => {
    process.mapAt(at(20), 6 * PAGE_SIZE, { flags: UNACCOUNTED });
    for (let page = 20; page < 26; page++) process.write(at(page));
    process.mprotect(at(23), 3 * PAGE_SIZE, PROT_READ);
    const walk = kernel.op.walk(folioAt(process, 21));
    return { walk, grow: process.op.mprotect(at(22), PAGE_SIZE, PROT_READ) };
  };
  expect(failures({ base: 'live' }, scene)).toBeGreaterThan(0);
  expect(failures({ base: 'cached' }, scene)).toBe(0);
});

it('swapinFix: a page that is forked while it is on its way to swap is lazy still when the child reads it (X9)', () => {
  const scene = (kernel: Kernel, process: Process) => {
    map(process, 0, 1);
    function* forkAndRead(): Op<void> {
      const child = yield* process.op.fork();
      yield* child.op.read(at(0));
      yield* process.op.read(at(0));
    }
    return { reclaim: kernel.op.reclaim(folioAt(process, 0)), forkAndRead: forkAndRead() };
  };
  for (const form of [{ swapinFix: 'off' } as const, PRESETS.stated]) expect(failures(form, scene)).toBeGreaterThan(0);
  expect([failures({ swapinFix: 'on' }, scene), failures({ swapinFix: 'copy' }, scene)]).toEqual([0, 0]);
});

it('retry: untilStable also follows a page to another root', () => {
  const passes = (retry: LazyOptions['retry']): number => {
    let most = 0;
    for (let seed = 1; seed <= 200; seed++) {
      const { kernel, process } = machine({ retry }, { stepping: true });
      map(process, 0, 1);
      process.mapAt(at(30), PAGE_SIZE);
      const ends = interleave(
        kernel,
        {
          walk: kernel.op.walk(folioAt(process, 0)),
          move: process.op.uffdMove({ to: at(30), from: at(0), length: PAGE_SIZE }),
        },
        scheduler(seed),
      );
      most = Math.max(most, (ends.walk as { value: WalkResult }).value.passes);
    }
    return most;
  };
  expect([passes('none'), passes('once'), passes('untilStable')]).toEqual([1, 1, 2]);
});

it('retry: untilStable does not go round again once the visitor has enough (R21)', () => {
  const strategy = anonVmaLazy({ ...PRESETS.intended, retry: 'untilStable', reuse: 'toLazy', walkLock: 'refOnly' });
  const changes: (() => void)[] = [];
  let visits = 0;
  const create: RmapStrategy['create'] = (services) => {
    const folios = Object.create(services.folios) as typeof services.folios;
    folios.readAnchor = (folio) => {
      if (visits > 0) changes.shift()?.();
      return services.folios.readAnchor(folio);
    };
    const rmap = strategy.create(Object.create(services, { folios: { value: folios } }));
    const walk = rmap.walk.bind(rmap);
    rmap.walk = (hold, query) => walk(hold, query, { found: 0, restart() {}, visit: () => ++visits < 2 });
    return rmap;
  };
  const kernel = new Kernel({ strategy: { ...strategy, create } });
  const process = kernel.spawn();
  map(process, 0, 1);
  const folio = folioAt(process, 0);
  let child: Process;
  // The first pass ends before a fork, the second before the page is the child's alone, and lazy again.
  changes.push(
    () => {
      child = process.fork();
    },
    () => {
      process.exit();
      child.write(at(0));
    },
  );
  kernel.walk(folio);
  expect([visits, changes.length]).toEqual([2, 1]);
});

it('childFolio: a page that only the child has is looked for in the family', () => {
  const candidates = (childFolio: LazyOptions['childFolio']): number => {
    const { kernel, process } = machine({ childFolio });
    map(process, 0, 1);
    const child = process.fork();
    child.write(at(0));
    return kernel.walk(folioAt(child, 0)).candidates;
  };
  expect([candidates('lazyChild'), candidates('parentAnonVma')]).toEqual([1, 2]);
});

it('reuse: a page that its only user writes turns lazy again', () => {
  const lazyAfter = (reuse: LazyOptions['reuse']): boolean => {
    const { kernel, process } = machine({ reuse });
    map(process, 0, 1);
    const child = process.fork();
    process.exit();
    const folio = folioAt(child, 0);
    child.write(at(0));
    expect(folioAt(child, 0)).toBe(folio);
    kernel.verify();
    return isLazy(child, 0);
  };
  expect([lazyAfter('keep'), lazyAfter('toLazy')]).toEqual([false, true]);
});

it('mremapFix: which folios of 512 a move of their table and of single entries rewrites', () => {
  const rewritten = (mremapFix: LazyOptions['mremapFix'], from: number, pages: number, to: number): number => {
    const { kernel, process } = machine({ mremapFix });
    process.mapAt(at(from), pages * PAGE_SIZE);
    for (let i = 0; i < 3; i++) process.write(at(from + i));
    move(process, from, to, pages);
    return kernel.stats().counts['folio-rewritten'] ?? 0;
  };
  const forms = ['none', 'pte', 'pteAndPmd', 'eager'] as const;
  expect(forms.map((form) => rewritten(form, 0, 3, 100))).toEqual([0, 3, 3, 3]);
  expect(forms.map((form) => rewritten(form, 0, 512, 1024))).toEqual([0, 0, 3, 3]);
});

it('mergeRule: two roots that merge leave the pages of one without a root', () => {
  const after = (mergeRule: LazyOptions['mergeRule']): [vmas: number, missed: number] => {
    const { kernel, process } = machine({ mergeRule });
    process.mapAt(at(4), 4 * PAGE_SIZE, { flags: UNACCOUNTED });
    process.write(at(4));
    process.mprotect(at(4), 4 * PAGE_SIZE, PROT_READ);
    process.mapAt(at(0), 4 * PAGE_SIZE, { flags: UNACCOUNTED });
    process.write(at(0));
    process.mprotect(at(0), 4 * PAGE_SIZE, PROT_READ);
    return [process.vmas().length, kernel.check().missed];
  };
  expect([after('sameRootOrNone'), after('anySameBase')]).toEqual([
    [2, 0],
    [1, 1],
  ]);
});

it('maxVmaPages: larger VMAs get an anon_vma at their first fault', () => {
  const { kernel, process } = machine({ maxVmaPages: 4 });
  map(process, 0, 4);
  map(process, 10, 5);
  expect([isLazy(process, 0), isLazy(process, 10), kernel.stats().slab.anon_vma.live]).toEqual([true, false, 1]);
});

it('upgrade: a folio over a cut of which one part moves is found in the other part', () => {
  const missed = (upgrade: LazyOptions['upgrade']): number => {
    const { kernel, process } = machine({ upgrade }, FOUR);
    map(process, 0, 4);
    process.mprotect(at(2), 2 * PAGE_SIZE, PROT_READ);
    move(process, 2, 100, 2);
    return kernel.check().missed;
  };
  expect([missed('family'), missed('vma')]).toEqual([0, 2]);
});

it('base: a copy takes 8 bytes more in each VMA, and follows the stack that exec shifts', () => {
  expect([{ base: 'live' }, { base: 'cached' }].map((form) => anonVmaLazy(form as Partial<LazyOptions>).bytes.vma)).toEqual([
    16, 24,
  ]);
  const { kernel, process } = machine({ base: 'cached' });
  process.exec({ stackTop: (TASK_SIZE - 3 * PAGE_SIZE) as Address });
  expect(kernel.verify().mappings).toBeGreaterThan(0);
});

it('maxVmaPages: a larger VMA is forked as a regular one, with an anon_vma for the child', () => {
  const used = (pages: number): number => {
    const { kernel, process } = machine({ maxVmaPages: 4 });
    map(process, 0, pages);
    process.fork();
    return kernel.stats().slab.anon_vma.live;
  };
  expect([used(4), used(5)]).toEqual([1, 2]);
});

it('childFolio: what a child has of its parent is an anon_vma borrowed, also in the parts of a VMA that is cut, until it forks itself', () => {
  const { kernel, process } = machine({ childFolio: 'parentAnonVma' });
  map(process, 0, 4);
  const child = process.fork();
  child.mprotect(at(2), 2 * PAGE_SIZE, PROT_READ);
  expect(kernel.stats().slab.anon_vma.live).toBe(1);
  const grandchild = child.fork();
  // One for each of the two VMAs, as they borrow and so have no root to be upgraded together by.
  expect(kernel.stats().slab.anon_vma.live).toBe(3);
  child.write(at(0));
  grandchild.write(at(1));
  kernel.verify();
  for (const each of [process, child, grandchild]) each.exit();
  expect(['anon_vma', 'anon_vma_chain'].map((name) => kernel.stats().slab[name].live)).toEqual([0, 0]);
});

it('preferRoot: the root lives on, be it the left or the right of two VMAs that become one', () => {
  const zombies = (preferRoot: LazyOptions['preferRoot'], touched: number): number => {
    const { kernel, process } = machine({ preferRoot });
    process.mapAt(at(0), 4 * PAGE_SIZE, { flags: UNACCOUNTED });
    process.mprotect(at(2 - touched), 2 * PAGE_SIZE, PROT_READ);
    process.write(at(touched));
    process.mprotect(at(touched), 2 * PAGE_SIZE, PROT_READ);
    expect(process.vmas()).toHaveLength(1);
    kernel.verify();
    return kernel.stats().zombies;
  };
  expect([zombies('off', 0), zombies('off', 2)]).toEqual([1, 1]);
  expect([zombies('on', 0), zombies('on', 2)]).toEqual([0, 0]);
});

it('lookup: rootOnly finds nothing once the root is unmapped, and does not look where it was', () => {
  const found = (lookup: LazyOptions['lookup']): number => {
    const { kernel, process } = machine({ lookup });
    process.mapAt(at(0), 4 * PAGE_SIZE, { flags: UNACCOUNTED });
    process.mprotect(at(0), 2 * PAGE_SIZE, PROT_READ);
    process.write(at(2));
    process.mprotect(at(2), 2 * PAGE_SIZE, PROT_READ);
    expect(kernel.stats().zombies).toBe(1);
    return kernel.walk(folioAt(process, 2)).found.length;
  };
  expect([found('rootOnly'), found('firstInRange'), found('range')]).toEqual([0, 1, 1]);
});

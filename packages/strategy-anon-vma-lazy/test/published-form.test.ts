import {
  interleave,
  Kernel,
  type KernelOptions,
  MADV_HUGEPAGE,
  MREMAP_FIXED,
  MREMAP_MAYMOVE,
  type Op,
  PAGE_SIZE,
  PROT_READ,
  type Process,
  type WalkResult,
} from '@rmap-lab/core';
import { scheduler } from '@rmap-lab/strategy-tests';
import { describe, expect, it } from 'vitest';
import { anonVmaLazy, type LazyOptions, PRESETS, type Preset } from '../src/index.js';
import { at, folioAt, map, move, UNACCOUNTED } from './places.js';

/** Where the published form misses a mapping, by the experiments X3 to X12 of its description; and that `intended` does not. */
const MOVE = MREMAP_MAYMOVE | MREMAP_FIXED;

/** `intended` with some answers changed. */
const made = (options: Preset | Partial<LazyOptions>) =>
  anonVmaLazy(typeof options === 'string' ? options : { ...PRESETS.intended, ...options });

type Scene = (kernel: Kernel, process: Process) => void;
/** What `verify` misses after a scene, in a kernel with one process. */
function missed(options: Preset | Partial<LazyOptions>, scene: Scene, kernelOptions: Partial<KernelOptions> = {}): number {
  const kernel = new Kernel({ strategy: made(options), ...kernelOptions });
  scene(kernel, kernel.spawn());
  return kernel.check().missed;
}

describe('one operation after the other', () => {
  const large: Partial<KernelOptions> = { thp: { orders: { 2: 'always' } } };
  const cut: Scene = (_, process) => {
    map(process, 0, 4);
    process.mprotect(at(2), 2 * PAGE_SIZE, PROT_READ);
  };
  const moved: Scene = (_, process) => {
    map(process, 0, 3);
    move(process, 0, 100, 3);
  };
  const movedTable: Scene = (_, process) => {
    map(process, 0, 512, 3);
    move(process, 0, 1024, 512);
  };
  const swapCache: Scene = (kernel, process) => {
    map(process, 0, 1);
    // The child's touch brings the page into the swap cache; the parent's entry then meets it there.
    kernel.reclaim(folioAt(process, 0));
    const child = process.fork();
    child.read(at(0));
    process.read(at(0));
  };
  const cases: [string, Partial<LazyOptions>, Scene, number, Partial<KernelOptions>?][] = [
    ['X4: a folio that lies over a cut, with the first VMA only', { lookup: 'firstInRange' }, cut, 2, large],
    ['X4: a folio that lies over a cut, with the root only', { lookup: 'rootOnly' }, cut, 2, large],
    ['X7: a moved page that was not rewritten', { mremapFix: 'none' }, moved, 3],
    ['X7: pages that moved with their table, when only single entries are rewritten', { mremapFix: 'pte' }, movedTable, 3],
  ];
  it.each(cases)('%s', (_, options, scene, count, kernelOptions) => {
    expect(missed(options, scene, kernelOptions)).toBe(count);
    expect(missed('intended', scene, kernelOptions)).toBe(0);
  });

  it('X9: what goes through the swap cache is found in all forms that a later read can give it', () => {
    for (const preset of ['posted', 'stated', 'intended'] as const)
      expect([preset, missed(preset, swapCache)]).toEqual([preset, 0]);
  });

  it('the published form misses moved pages, what its author states misses folios over a cut', () => {
    expect([missed('posted', moved), missed('posted', cut, large)]).toEqual([3, 2]);
    expect([missed('stated', moved), missed('stated', cut, large)]).toEqual([0, 2]);
  });

  it('a PMD that moves takes its lazy folio along only where PMD entries are rewritten', () => {
    const scene: Scene = (_, process) => {
      process.mapAt(at(0), 1024 * PAGE_SIZE);
      process.madvise(at(0), 1024 * PAGE_SIZE, MADV_HUGEPAGE);
      process.write(at(512));
      move(process, 512, 2048, 512);
    };
    const thp: Partial<KernelOptions> = { thp: { enabled: 'always' } };
    expect(missed({ mremapFix: 'pte' }, scene, thp)).toBe(1);
    expect(missed('intended', scene, thp)).toBe(0);
  });
});

describe('X3: roots that nothing maps any more', () => {
  /** `n` times: untouched memory before touched memory of another protection; made alike, the touched VMA merges into the other. */
  const zombies = (n: number, options: Partial<LazyOptions> = {}): number => {
    const kernel = new Kernel({ strategy: made(options) });
    const process = kernel.spawn();
    for (let i = 0; i < n; i++) {
      const first = i * 10;
      process.mapAt(at(first), 4 * PAGE_SIZE, { flags: UNACCOUNTED });
      process.mprotect(at(first), 2 * PAGE_SIZE, PROT_READ);
      process.write(at(first + 2));
      process.mprotect(at(first + 2), 2 * PAGE_SIZE, PROT_READ);
    }
    expect(kernel.verify().missed).toBe(0);
    return kernel.stats().zombies;
  };
  it('are as many as merges that swallow one, and none where the root survives', () => {
    expect([zombies(1), zombies(10)]).toEqual([1, 10]);
    expect(zombies(10, { preferRoot: 'on' })).toBe(0);
  });
});

describe('at the same time', () => {
  /** Of 600 schedules, in how many the walk misses the page that is mapped all the time, or something is wrong at the end. */
  const failures = (
    options: Preset | Partial<LazyOptions>,
    scene: (kernel: Kernel, process: Process) => Record<string, Op<unknown>>,
  ): number => {
    let failed = 0;
    for (let seed = 1; seed <= 600; seed++) {
      const kernel = new Kernel({ strategy: made(options), stepping: true });
      const process = kernel.spawn();
      map(process, 10, 4, 1);
      const ends = interleave(kernel, scene(kernel, process), scheduler(seed));
      const walk = ends.walk as { value: WalkResult } | undefined;
      const lost = walk !== undefined && !walk.value.found.some((mapping) => mapping.process.id === process.id);
      if (lost || kernel.check().problems.length > 0) failed++;
    }
    return failed;
  };
  const moveBack = (_: Kernel, process: Process) =>
    process.op.mremap(at(10), 4 * PAGE_SIZE, 4 * PAGE_SIZE, { flags: MOVE, to: at(100) });

  it('X6: a migration whose walk began lazy is not seen by a fork meanwhile, unless the walk goes round again', () => {
    const scene = (kernel: Kernel, process: Process) => ({
      migrate: kernel.op.migrate(folioAt(process, 10)),
      fork: process.op.fork(),
    });
    expect(failures({ retry: 'none', migrationLock: 'refOnly' }, scene)).toBeGreaterThan(0);
    expect(failures('intended', scene)).toBe(0);
  });

  it('X7: a walk does not find a page that moves meanwhile, unless it goes round again', () => {
    const scene = (kernel: Kernel, process: Process) => ({
      walk: kernel.op.walk(folioAt(process, 10)),
      move: moveBack(kernel, process),
    });
    expect(failures({ retry: 'none' }, scene)).toBeGreaterThan(0);
    expect(failures('intended', scene)).toBe(0);
  });

  it('X12: start and offset read while the root shrinks at its front lead elsewhere; a base that was kept does not help, as the place in the VMA comes from both, too', () => {
    const scene = (kernel: Kernel, process: Process) => {
      process.mapAt(at(20), 6 * PAGE_SIZE, { flags: UNACCOUNTED });
      process.mprotect(at(20), 2 * PAGE_SIZE, PROT_READ);
      process.write(at(25));
      return {
        walk: kernel.op.walk(folioAt(process, 25)),
        shrink: process.op.mprotect(at(22), PAGE_SIZE, PROT_READ),
      };
    };
    const [live, cached, locked] = [{ base: 'live' }, { base: 'cached' }, { walkLock: 'hashedLock' }] as const;
    expect(failures(live, scene)).toBeGreaterThan(0);
    expect(failures(cached, scene)).toBeGreaterThan(0);
    expect(failures(locked, scene)).toBe(0);
  });
});

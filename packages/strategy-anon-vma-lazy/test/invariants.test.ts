import {
  type Address,
  interleave,
  Kernel,
  MREMAP_FIXED,
  MREMAP_MAYMOVE,
  type Op,
  PAGE_SIZE,
  PROT_READ,
  type Process,
  type RmapStrategy,
} from '@rmap-lab/core';
import { scheduler } from '@rmap-lab/strategy-tests';
import { describe, expect, it } from 'vitest';
import { anonVmaLazy, type LazyOptions, PRESETS } from '../src/index.js';
import { invariants } from './invariants.js';
import { oneWay } from './one-way.js';

/** That each check of an invariant would notice: in a form of the design, or with a step left out, that breaks it. I3, I7 and I8 hold in all of them. */
const at = (page: number): Address => (0x40000000 + page * PAGE_SIZE) as Address;
const form = (options: Partial<LazyOptions>): RmapStrategy => anonVmaLazy({ ...PRESETS.intended, ...options });
const map = (process: Process, page: number, pages: number): void => {
  process.mapAt(at(page), pages * PAGE_SIZE);
  for (let i = 0; i < pages; i++) process.write(at(page + i));
};
const start = (strategy: RmapStrategy, stepping = false): { kernel: Kernel; process: Process } => {
  const kernel = new Kernel({ strategy: oneWay(strategy), stepping });
  return { kernel, process: kernel.spawn() };
};

describe('is noticed:', () => {
  it('I1, a moved page that was not rewritten; I9, its walk misses it', () => {
    const { kernel, process } = start(form({ mremapFix: 'none' }));
    map(process, 0, 2);
    process.mremap(at(1), PAGE_SIZE, PAGE_SIZE, { flags: MREMAP_MAYMOVE | MREMAP_FIXED, to: at(10) });
    expect(invariants()(kernel)).toMatch(/^I1: /);
    expect(() => kernel.verify()).toThrow(/R17/);
  });

  it('I2, a root that a merge let go of', () => {
    const { kernel, process } = start(form({ mergeRule: 'anySameBase' }));
    for (const page of [4, 0]) {
      map(process, page, 1);
      process.mapAt(at(page + 1), 3 * PAGE_SIZE);
      process.mprotect(at(page), 4 * PAGE_SIZE, PROT_READ);
    }
    expect(invariants()(kernel)).toMatch(/^I2: /);
  });

  it('I4, a page that turns lazy again', () => {
    const { process } = start(form({ reuse: 'toLazy' }));
    map(process, 0, 1);
    const child = process.fork();
    process.exit();
    expect(() => child.write(at(0))).toThrow(/I4/);
  });

  it('I5, a lazy page in two address spaces', () => {
    const broken = new Set<string | undefined>();
    for (let seed = 1; seed <= 200; seed++) {
      const { kernel, process } = start(form({ swapinFix: 'off' }), true);
      map(process, 0, 1);
      const folio = process.folioAt(at(0));
      function* forkAndRead(): Op<void> {
        const child = yield* process.op.fork();
        yield* process.op.read(at(0));
        yield* child.op.read(at(0));
      }
      interleave(kernel, { reclaim: kernel.op.reclaim(folio!), forkAndRead: forkAndRead() }, scheduler(seed));
      broken.add(invariants()(kernel)?.slice(0, 2));
    }
    expect([...broken]).toEqual(expect.arrayContaining([undefined, 'I5']));
  });

  it('I6, a fork that copies an entry before it rewrites the page', () => {
    const lazy = anonVmaLazy();
    const forgetful: RmapStrategy = { ...lazy, create: (services) => Object.assign(lazy.create(services), { mapping() {} }) };
    const complaints = new Set<string>();
    const process = new Kernel({ strategy: oneWay(forgetful, (rule) => complaints.add(rule)) }).spawn();
    map(process, 0, 1);
    process.fork();
    expect([...complaints]).toEqual(['I6']);
  });
});

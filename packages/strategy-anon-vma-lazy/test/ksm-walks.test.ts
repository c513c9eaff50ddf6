import {
  type Folio,
  interleave,
  Kernel,
  MADV_MERGEABLE,
  type Op,
  PAGE_SIZE,
  PROT_EXEC,
  PROT_READ,
  type Process,
  type RmapStrategy,
  type Vma,
} from '@rmap-lab/core';
import { scheduler } from '@rmap-lab/strategy-tests';
import { expect, it } from 'vitest';
import { anonVmaLazy, type LazyOptions, PRESETS } from '../src/index.js';
import { at } from './places.js';

/** Walks of a page of KSM, which begin at the root that its items pin. */
const form = (options: Partial<LazyOptions>): RmapStrategy => anonVmaLazy({ ...PRESETS.intended, ...options });

interface Machine {
  readonly kernel: Kernel;
  readonly process: Process;
  readonly folio: Folio;
}

/** A process with `pages` pages of one VMA that KSM made one. */
function merged(strategy: RmapStrategy, pages: number, stepping = false): Machine {
  const kernel = new Kernel({ strategy, stepping });
  const process = kernel.spawn();
  process.mapAt(at(0), pages * PAGE_SIZE);
  process.madvise(at(0), pages * PAGE_SIZE, MADV_MERGEABLE);
  for (let page = 0; page < pages; page++) process.fill(at(page), 7);
  kernel.ksmScan();
  return { kernel, process, folio: process.folioAt(at(0)) as Folio };
}

/** What the calls of a strategy show. */
class Seen {
  /** Second passes of walks. */
  restarts = 0;
  /** Visits after one that said false (R21). */
  goesOn = 0;
  /** Returns of unlink while a walk was inside the VMA (R20). */
  freedUnderWalk = 0;
}

function watched(strategy: RmapStrategy, seen: Seen): RmapStrategy {
  const create: RmapStrategy['create'] = (services) => {
    const rmap = strategy.create(services);
    const walk = rmap.walk.bind(rmap);
    const unlink = rmap.unlink.bind(rmap);
    const inside: Vma[] = [];
    rmap.walk = (hold, query, visitor) => {
      let stopped = false;
      return walk(hold, query, {
        get found() {
          return visitor.found;
        },
        restart: () => {
          seen.restarts++;
          visitor.restart();
        },
        *visit(vma, address) {
          if (stopped) seen.goesOn++;
          inside.push(vma);
          const answer = visitor.visit(vma, address);
          const more = typeof answer === 'boolean' ? answer : yield* answer;
          inside.splice(inside.indexOf(vma), 1);
          stopped = !more;
          return more;
        },
      });
    };
    rmap.unlink = function* (vma: Vma): Op<void> {
      const work = unlink(vma);
      if (work) yield* work;
      if (inside.includes(vma)) seen.freedUnderWalk++;
    };
    return rmap;
  };
  return { ...strategy, create };
}

/** What is seen in 200 schedules of a walk and what `change` does. */
function beside(options: Partial<LazyOptions>, change: (machine: Machine) => Op<unknown>): Seen {
  const seen = new Seen();
  const strategy = watched(form(options), seen);
  for (let seed = 1; seed <= 200; seed++) {
    const machine = merged(strategy, 2, true);
    const { kernel, folio } = machine;
    interleave(kernel, { walk: kernel.op.walk(folio), change: change(machine) }, scheduler(seed));
    kernel.verify();
  }
  return seen;
}

it('a walk of a page of KSM has the lock of the table, so that page tables stay while it is inside', () => {
  const munmap = ({ process }: Machine): Op<unknown> => process.op.munmap(at(0), 2 * PAGE_SIZE);
  expect(beside({ walkLock: 'refOnly' }, munmap).freedUnderWalk).toBeGreaterThan(0);
  expect(beside({ walkLock: 'hashedLock' }, munmap).freedUnderWalk).toBe(0);
});

it('a walk of a page of KSM whose family is upgraded meanwhile goes round again, and visits no VMA twice in one pass', () => {
  const fork = ({ process }: Machine): Op<unknown> => process.op.fork();
  for (const retry of ['once', 'untilStable'] as const) expect(beside({ retry }, fork).restarts).toBeGreaterThan(0);
});

it('a walk of a page of KSM ends where its visitor has enough, also where its family became several', () => {
  const seen = new Seen();
  const { kernel, process, folio } = merged(watched(form({ upgrade: 'vma' }), seen), 4);
  process.mprotect(at(0), 2 * PAGE_SIZE, PROT_READ);
  process.mprotect(at(2), 2 * PAGE_SIZE, PROT_READ | PROT_EXEC);
  const child = process.fork();
  expect(kernel.walk(folio).found).toHaveLength(8);
  for (const each of [process, child]) each.mlock(at(0), 4 * PAGE_SIZE);
  expect(kernel.referenced(folio)).toMatchObject({ locked: true });
  expect(seen.goesOn).toBe(0);
});

it('counts a look-up in mm_mt for a family that is more than its root: it seemed to come for nothing', () => {
  const { kernel, process, folio } = merged(form({}), 2);
  const lookups = (): number => {
    const before = kernel.stats().counts['vma-lookup'] ?? 0;
    kernel.walk(folio);
    return (kernel.stats().counts['vma-lookup'] ?? 0) - before;
  };
  const one = lookups();
  process.mprotect(at(1), PAGE_SIZE, PROT_READ);
  // Two items, two rounds.
  expect([one, lookups()]).toEqual([0, 4]);
});

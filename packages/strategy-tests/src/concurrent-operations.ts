import {
  type Address,
  type Folio,
  interleave,
  Kernel,
  MREMAP_FIXED,
  MREMAP_MAYMOVE,
  type Op,
  PAGE_SIZE,
  PROT_READ,
  type Process,
  type WalkResult,
} from '@rmap-lab/core';
import { describe, expect, it } from 'vitest';
import { scheduler } from './scheduler.js';
import type { Subject } from './subject.js';

const SCHEDULES = 500;
const at = (page: number): Address => (0x10000000 + page * PAGE_SIZE) as Address;
const MOVE = MREMAP_MAYMOVE | MREMAP_FIXED;

interface Scene {
  readonly threads: Readonly<Record<string, Op<unknown>>>;
  /** Has an entry all the time, at one place or another: a thread named `walk` must find it. */
  readonly mapped?: Process;
}

const map = (process: Process, from: number, to: number): void => {
  process.mapAt(at(from), (to - from) * PAGE_SIZE);
};
const move = (process: Process, from: number, to: number, pages: number): Op<Address> =>
  process.op.mremap(at(from), pages * PAGE_SIZE, pages * PAGE_SIZE, { flags: MOVE, to: at(to) });
const folioAt = (process: Process, page: number): Folio => process.folioAt(at(page)) as Folio;

const scenes: Record<string, (kernel: Kernel) => Scene> = {
  'migration of a page against a fork and a move of its mapping': (kernel) => {
    const process = kernel.spawn();
    map(process, 10, 12);
    process.write(at(10));
    return {
      threads: {
        migrate: kernel.op.migrate(folioAt(process, 10)),
        fork: process.op.fork(),
        move: move(process, 10, 30, 1),
      },
    };
  },
  'migration of a page against the exit of all that map it': (kernel) => {
    const process = kernel.spawn();
    map(process, 10, 12);
    process.write(at(10));
    const child = process.fork();
    return {
      threads: { migrate: kernel.op.migrate(folioAt(process, 10)), exit: process.op.exit(), childExit: child.op.exit() },
    };
  },
  'reclaim of a shared page against writes of both and a fork': (kernel) => {
    const process = kernel.spawn();
    map(process, 10, 12);
    process.write(at(10));
    const child = process.fork();
    return {
      threads: {
        reclaim: kernel.op.reclaim(folioAt(process, 10)),
        write: process.op.write(at(10)),
        childWrite: child.op.write(at(10)),
        fork: child.op.fork(),
      },
    };
  },
  'UFFDIO_MOVE of a page against its migration and its walk': (kernel) => {
    const process = kernel.spawn();
    map(process, 10, 11);
    map(process, 30, 31);
    process.write(at(10));
    const folio = folioAt(process, 10);
    return {
      threads: {
        uffdMove: process.op.uffdMove({ to: at(30), from: at(10), length: PAGE_SIZE }),
        migrate: kernel.op.migrate(folio),
        referenced: kernel.op.referenced(folio),
      },
    };
  },
  'two first faults of one VMA': (kernel) => {
    const process = kernel.spawn();
    map(process, 10, 12);
    return { threads: { one: process.op.write(at(10)), two: process.thread().op.write(at(11)) } };
  },
  'first faults of three neighbours': (kernel) => {
    const process = kernel.spawn();
    map(process, 10, 13);
    process.mprotect(at(11), PAGE_SIZE, 7);
    return {
      threads: {
        left: process.op.write(at(10)),
        middle: process.thread().op.write(at(11)),
        right: process.thread().op.write(at(12)),
      },
    };
  },
  'a first fault beside a fork': (kernel) => {
    const process = kernel.spawn();
    map(process, 10, 13);
    process.mprotect(at(11), PAGE_SIZE, 7);
    process.write(at(10));
    return { threads: { fork: process.op.fork(), fault: process.thread().op.write(at(11)) } };
  },
  'a walk while a fork copies': (kernel) => {
    const process = kernel.spawn();
    map(process, 10, 12);
    process.write(at(10));
    return { threads: { fork: process.op.fork(), walk: kernel.op.walk(folioAt(process, 10)) }, mapped: process };
  },
  'a walk while the root of the family exits': (kernel) => {
    const process = kernel.spawn();
    map(process, 10, 12);
    process.write(at(10));
    const child = process.fork();
    const walk = kernel.op.walk(folioAt(child, 10));
    return { threads: { exit: process.op.exit(), walk }, mapped: child };
  },
  'a walk while the last process exits': (kernel) => {
    const process = kernel.spawn();
    map(process, 10, 12);
    process.write(at(10));
    return { threads: { walk: kernel.op.walk(folioAt(process, 10)), exit: process.op.exit() } };
  },
  'a walk while a VMA splits and merges': (kernel) => {
    const process = kernel.spawn();
    map(process, 10, 14);
    process.write(at(12));
    function* splitAndMerge(): Op<void> {
      yield* process.op.mprotect(at(11), PAGE_SIZE, PROT_READ);
      yield* process.op.mprotect(at(11), PAGE_SIZE, 3);
    }
    return { threads: { change: splitAndMerge(), walk: kernel.op.walk(folioAt(process, 12)) }, mapped: process };
  },
  'a walk while its page moves to a new VMA': (kernel) => {
    const process = kernel.spawn();
    map(process, 10, 13);
    process.write(at(10));
    return { threads: { move: move(process, 10, 100, 3), walk: kernel.op.walk(folioAt(process, 10)) }, mapped: process };
  },
  'a walk while its page moves into a VMA of a lower offset': (kernel) => {
    const process = kernel.spawn();
    map(process, 13, 16);
    process.write(at(13));
    kernel.run(move(process, 13, 100, 3));
    map(process, 10, 13);
    return { threads: { move: move(process, 100, 13, 3), walk: kernel.op.walk(folioAt(process, 100)) }, mapped: process };
  },
  'a walk while its page moves into a VMA of the same offset': (kernel) => {
    const process = kernel.spawn();
    map(process, 10, 20);
    process.write(at(13));
    kernel.run(move(process, 10, 100, 10));
    map(process, 10, 13);
    return { threads: { move: move(process, 103, 13, 3), walk: kernel.op.walk(folioAt(process, 103)) }, mapped: process };
  },
  'a walk while a whole page table moves': (kernel) => {
    const process = kernel.spawn();
    map(process, 512, 1024);
    process.write(at(600));
    return { threads: { move: move(process, 512, 2048, 512), walk: kernel.op.walk(folioAt(process, 600)) }, mapped: process };
  },
  'forks on two levels beside an exit': (kernel) => {
    const process = kernel.spawn();
    map(process, 10, 12);
    process.write(at(10));
    const child = process.fork();
    const grandchild = child.fork();
    return { threads: { exit: child.op.exit(), fork: grandchild.op.fork(), write: process.op.write(at(10)) } };
  },
};

/** Describes: in random schedules of each scene walks find what is mapped all the time, and all stays sound. Scenes named in `except` are left out. */
export function concurrentOperations(subject: Subject, except: readonly string[] = []): void {
  describe('concurrent operations', () => {
    const left = Object.entries(scenes).filter(([name]) => !except.includes(name));
    it.each(left)('%s: walks find what is mapped, and all stays sound', (_, scene) => {
      const schedules = new Set<string>();
      for (let seed = 1; seed <= SCHEDULES; seed++) schedules.add(play(subject, scene, seed));
      expect(schedules.size).toBeGreaterThan(5);
    });
  });
}

/** One schedule, and what it was. */
function play({ strategy, audit }: Subject, scene: (typeof scenes)[string], seed: number): string {
  const kernel = new Kernel({ strategy: strategy(), stepping: true });
  const { threads, mapped } = scene(kernel);
  const choose = scheduler(seed);
  const choices: number[] = [];
  const ends = interleave(kernel, threads, (n) => choices[choices.push(choose(n)) - 1]);
  const schedule = choices.join('');
  if (mapped !== undefined) {
    const { found } = (ends.walk as { value: WalkResult }).value;
    expect(
      found.map(({ process }) => process.id),
      `seed ${seed}, schedule ${schedule}`,
    ).toContain(mapped.id);
  }
  const { problems } = kernel.check();
  expect([...problems, audit()(kernel)], `seed ${seed}, schedule ${schedule}`).toEqual([null]);
  for (const process of [...kernel.processes]) process.exit();
  // A folio whose lock was taken when its last swap entry went stays in the swap cache, and keeps what its strategy gave it.
  kernel.swapOff();
  expect(Object.entries(kernel.stats().slab).filter(([, { live }]) => live > 0)).toEqual([]);
  return schedule;
}

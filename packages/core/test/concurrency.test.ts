import { describe, expect, it } from 'vitest';
import {
  type Address,
  interleave,
  Kernel,
  MADV_DONTNEED,
  MADV_FREE,
  MREMAP_FIXED,
  MREMAP_MAYMOVE,
  type Op,
  PAGE_SIZE,
  PROT_READ,
  type Process,
} from '../src/index.js';
import { scanAll } from './support/scan-all.js';

const SCHEDULES = 500;

/** A small seeded generator (mulberry32): schedules must be the same on every machine. */
function random(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t ^= t + Math.imul(t ^ (t >>> 7), 61 | t);
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}

interface World {
  readonly kernel: Kernel;
  readonly process: Process;
  readonly child: Process;
  readonly at: Address;
}

/** Two pages, one of them shared with a child. */
function world(): World {
  const kernel = new Kernel({ strategy: scanAll(), stepping: true });
  const process = kernel.spawn();
  const at = process.mmap(2 * PAGE_SIZE);
  process.write(at);
  const child = process.fork();
  process.write((at + PAGE_SIZE) as Address);
  return { kernel, process, child, at };
}

const folio = ({ process, at }: World) => process.folioAt(at) as NonNullable<ReturnType<Process['folioAt']>>;

const scenarios: Record<string, (w: World) => Record<string, Op<unknown>>> = {
  'two first faults of one VMA': ({ kernel }) => {
    const fresh = kernel.spawn();
    const at = fresh.mmap(PAGE_SIZE);
    const thread = fresh.thread();
    return { first: fresh.op.write(at), second: thread.op.write(at) };
  },
  'two copies on write of a shared page': ({ process, child, at }) => ({
    parent: process.op.write(at),
    child: child.op.write(at),
  }),
  'fork against a write of a thread': ({ process, at }) => ({ fork: process.op.fork(), write: process.thread().op.write(at) }),
  'fork against a walk': (w) => ({ fork: w.process.op.fork(), walk: w.kernel.op.walk(folio(w)) }),
  'a moving mremap against a walk': (w) => ({
    move: w.process.op.mremap(w.at, PAGE_SIZE, PAGE_SIZE, {
      flags: MREMAP_MAYMOVE | MREMAP_FIXED,
      to: (w.at - 64 * PAGE_SIZE) as Address,
    }),
    walk: w.kernel.op.walk(folio(w)),
  }),
  'munmap against a walk and a fault': (w) => ({
    munmap: w.process.op.munmap(w.at, PAGE_SIZE),
    walk: w.kernel.op.walk(folio(w)),
    write: w.process.thread().op.write((w.at + PAGE_SIZE) as Address),
  }),
  'mprotect splits while reclaim looks': (w) => ({
    mprotect: w.process.op.mprotect(w.at, PAGE_SIZE, PROT_READ),
    referenced: w.kernel.op.referenced(folio(w)),
    write: w.child.op.write(w.at),
  }),
  'exit of the child against a write of the parent and a walk': (w) => ({
    exit: w.child.op.exit(),
    write: w.process.op.write(w.at),
    walk: w.kernel.op.walk(folio(w)),
  }),
  'MADV_FREE, reclaim and a write': (w) => {
    w.child.exit();
    w.process.madvise(w.at, PAGE_SIZE, MADV_FREE);
    return { reclaim: w.kernel.op.reclaim(folio(w)), write: w.process.op.write(w.at) };
  },
  'reclaim of a shared page against a write of the child': (w) => ({
    reclaim: w.kernel.op.reclaim(folio(w)),
    write: w.child.op.write(w.at),
  }),
  'reclaim against fork, and a read that may find a swap entry': (w) => ({
    reclaim: w.kernel.op.reclaim(folio(w)),
    fork: w.process.op.fork(),
    read: w.child.op.read(w.at),
  }),
  'migration against a write and a fork': (w) => ({
    migrate: w.kernel.op.migrate(folio(w)),
    write: w.child.op.write(w.at),
    fork: w.process.op.fork(),
  }),
  'migration against munmap and exit': (w) => ({
    migrate: w.kernel.op.migrate(folio(w)),
    munmap: w.process.op.munmap(w.at, PAGE_SIZE),
    exit: w.child.op.exit(),
  }),
  'MADV_DONTNEED against a fault of a thread': ({ process, at }) => ({
    zap: process.op.madvise(at, 2 * PAGE_SIZE, MADV_DONTNEED),
    write: process.thread().op.write(at),
  }),
  'MADV_DONTNEED of a whole page table against faults, a walk and whoever takes the table next': ({ kernel, process }) => {
    const at = process.mmap(1024 * PAGE_SIZE, { at: (2 ** 40) as Address });
    process.write(at);
    const other = process.fork();
    const table = other.mmap(PAGE_SIZE, { at: (2 ** 41) as Address });
    return {
      zap: process.op.madvise(at, 512 * PAGE_SIZE, MADV_DONTNEED),
      write: process.thread().op.write(at),
      walk: kernel.op.referenced(process.folioAt(at) as NonNullable<ReturnType<Process['folioAt']>>),
      take: other.op.write(table),
    };
  },
};

describe('concurrent operations under a seeded random scheduler', () => {
  for (const [name, threads] of Object.entries(scenarios)) {
    it(`${name}: ${SCHEDULES} schedules keep every invariant`, () => {
      const schedules = new Set<string>();
      for (let seed = 1; seed <= SCHEDULES; seed++) {
        const w = world();
        const choose = random(seed);
        const choices: number[] = [];
        interleave(w.kernel, threads(w), (n) => {
          const choice = choose(n);
          choices.push(choice);
          return choice;
        });
        schedules.add(choices.join(''));
        const report = w.kernel.check();
        if (report.missed + report.wrong > 0)
          throw new Error(`seed ${seed}, schedule ${choices.join('')}: ${report.problems.join('\n')}`);
      }
      expect(schedules.size).toBeGreaterThan(5);
    });
  }

  it('the walk of a page that is mapped all the time always finds it', () => {
    for (let seed = 1; seed <= SCHEDULES; seed++) {
      const w = world();
      const ends = interleave(w.kernel, { fork: w.process.op.fork(), walk: w.kernel.op.walk(folio(w)) }, random(seed));
      const { found } = (ends.walk as { value: { found: { process: Process }[] } }).value;
      expect(found.map(({ process }) => process.id)).toEqual(expect.arrayContaining([w.process.id, w.child.id]));
    }
  });
});

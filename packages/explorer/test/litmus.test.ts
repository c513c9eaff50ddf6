import type { Op } from '@rmap-lab/core';
import { describe, expect, it } from 'vitest';
import { bruteForce, dpor, keptProgram, type Program, Rcu, Register, type Search, stateSearch } from '../src/index.js';

/** Two words, RCU, and a place for what threads saw. */
interface Shared {
  readonly x: Register;
  readonly y: Register;
  readonly rcu: Rcu;
  readonly seen: Record<string, number>;
}

type Threads = Readonly<Record<string, (shared: Shared) => Op<void>>>;

function program(threads: Threads): { program: Program; outcome: () => string } {
  let shared: Shared;
  return {
    program: keptProgram(
      () => ({ x: new Register('x'), y: new Register('y'), rcu: new Rcu('rcu'), seen: {} }),
      (world, kept) => {
        shared = { ...world, seen: {} };
        return {
          threads: Object.fromEntries(Object.entries(threads).map(([name, make]) => [name, make(shared)])),
          ...kept?.views(),
        };
      },
    ),
    outcome: () =>
      Object.entries(shared.seen)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, value]) => `${name}=${value}`)
        .join(' '),
  };
}

/** Everything that can be seen at the end; `deadlock` where nobody can go on. All engines must agree. */
function outcomes(threads: Threads): string[] {
  const { program: run, outcome } = program(threads);
  const by = (engine: (p: Program, options: Parameters<typeof dpor>[1]) => Search, how: Program): string[] => {
    const all = new Set<string>();
    const onTrace = (_: unknown, { failure }: { failure: Error | null }): unknown =>
      all.add(failure === null ? outcome() : 'deadlock');
    expect(engine(how, { keepGoing: true, onTrace }).exhausted).toBe(true);
    return [...all].sort();
  };
  const found = by(bruteForce, () => run('fresh'));
  expect(by(dpor, () => run('fresh'))).toEqual(found);
  expect(by(dpor, run)).toEqual(found);
  expect(by(stateSearch, run)).toEqual(found);
  return found;
}

const read = (body: (shared: Shared) => Op<void>) => (shared: Shared) => shared.rcu.read(() => body(shared));
const both = (first: 'x' | 'y', second: 'x' | 'y') =>
  function* (shared: Shared): Op<void> {
    shared.seen.r1 = yield* shared[first].load();
    shared.seen.r2 = yield* shared[second].load();
  };
function* storeBoth({ x, y }: Shared): Op<void> {
  yield* x.store(1);
  yield* y.store(1);
}
function* storeSyncStore({ x, y, rcu }: Shared): Op<void> {
  yield* x.store(1);
  yield* rcu.synchronize();
  yield* y.store(1);
}

describe('what a grace period forbids, and what it allows', () => {
  it.each<[string, Threads, string[]]>([
    [
      'a reader whose section began before sees nothing of what comes after the grace period',
      { reader: read(both('x', 'y')), updater: storeSyncStore },
      ['r1=0 r2=0', 'r1=1 r2=0', 'r1=1 r2=1'],
    ],
    [
      'without a grace period it may',
      { reader: read(both('x', 'y')), updater: storeBoth },
      ['r1=0 r2=0', 'r1=0 r2=1', 'r1=1 r2=0', 'r1=1 r2=1'],
    ],
    [
      'nor is a reader without a section waited for',
      { reader: both('x', 'y'), updater: storeSyncStore },
      ['r1=0 r2=0', 'r1=0 r2=1', 'r1=1 r2=0', 'r1=1 r2=1'],
    ],
    [
      'two sections are not one',
      {
        *reader(shared) {
          shared.seen.r1 = yield* shared.rcu.read(() => shared.x.load());
          shared.seen.r2 = yield* shared.rcu.read(() => shared.y.load());
        },
        updater: storeSyncStore,
      },
      ['r1=0 r2=0', 'r1=0 r2=1', 'r1=1 r2=0', 'r1=1 r2=1'],
    ],
    [
      'what is read in the other order was stored in that order',
      { reader: read(both('y', 'x')), updater: storeSyncStore },
      ['r1=0 r2=0', 'r1=0 r2=1', 'r1=1 r2=1'],
    ],
    [
      'a section that begins later is not waited for: it sees the first store, and may see the second or not',
      {
        reader: read(function* (shared) {
          shared.seen.r1 = yield* shared.x.load();
          if (shared.seen.r1 === 1) shared.seen.r2 = yield* shared.y.load();
        }),
        updater: storeSyncStore,
      },
      ['r1=0', 'r1=1 r2=0', 'r1=1 r2=1'],
    ],
    [
      'a callback runs after the grace period, soon or late',
      {
        reader: read(both('x', 'y')),
        *updater({ x, rcu }) {
          yield* x.store(1);
          yield* rcu.call();
        },
        *callback({ y, rcu }) {
          yield* rcu.gracePeriod();
          yield* y.store(1);
        },
      },
      ['r1=0 r2=0', 'r1=1 r2=0', 'r1=1 r2=1'],
    ],
    [
      'who waits for a grace period inside a section waits for himself',
      {
        *reader({ rcu }) {
          yield* rcu.read(() => rcu.synchronize());
        },
      },
      ['deadlock'],
    ],
    [
      'two readers, whom nothing orders, see the two stores in either order',
      {
        *reader(shared) {
          shared.seen.r1 = yield* shared.rcu.read(() => shared.y.load());
        },
        *other(shared) {
          shared.seen.r2 = yield* shared.rcu.read(() => shared.x.load());
        },
        updater: storeSyncStore,
      },
      ['r1=0 r2=0', 'r1=0 r2=1', 'r1=1 r2=0', 'r1=1 r2=1'],
    ],
  ])('%s', (_, threads, expected) => {
    expect(outcomes(threads)).toEqual(expected);
  });
});

import type { Address, Mm, Op, Rmap, RmapServices, RmapStrategy, SlabCache } from '@rmap-lab/core';
import { anonVma } from '@rmap-lab/strategy-anon-vma';
import { describe, expect, it, vi } from 'vitest';
import {
  decodeToken,
  type Engine,
  encodeToken,
  explore,
  type Failure,
  kernelProgram,
  Lock,
  type Program,
  Register,
  failureOf as replayed,
  type Scenario,
  scenarioNamed,
  sentenceOf,
  timeline,
  type Verdict,
} from '../src/index.js';
import { LockEdges } from '../src/lock-edges.js';

const base = anonVma();

/** The classic design with something wrong. Its additions are closed over, so every schedule gets a machine of its own. */
const broken = (change: (rmap: Rmap, services: RmapServices) => void, locks: RmapStrategy['locks'] = []): RmapStrategy => ({
  ...base,
  name: 'broken',
  state: 'free',
  locks: [...base.locks, ...locks],
  create: (services) => {
    const rmap = base.create(services);
    change(rmap, services);
    return rmap;
  },
});

function failureOf(scenario: string, strategy: RmapStrategy): Failure {
  const { failure } = explore(kernelProgram(scenarioNamed(scenario), { strategy }), { engine: 'bounded', preemptions: 2 });
  if (failure === null) throw new Error('nothing was found');
  return failure;
}

interface Box {
  count: number;
}
const boxes = (services: RmapServices, marked: readonly string[] = []) =>
  services.slab<Box>('box', { bytes: 8, create: () => ({ count: 0 }), marked });

/** Pages that the setup of most scenarios touches. */
const SETUP = 2;

/** Does something whenever a thread gives a page its anchor, before that. */
function beforeAnchor(rmap: Rmap, act: () => void): void {
  const anchor = rmap.anchor.bind(rmap);
  let calls = 0;
  rmap.anchor = (folio, vma, event) => {
    if (++calls > SETUP) act();
    return anchor(folio, vma, event);
  };
}

/** Does something before every walk. */
function beforeWalk(rmap: Rmap, act: () => Generator<never, void, void> | ReturnType<Rmap['walk']>): void {
  const walk = rmap.walk.bind(rmap);
  rmap.walk = function* (hold, query, visitor) {
    yield* act();
    yield* walk(hold, query, visitor);
  };
}

describe('locks that are taken in opposite orders', () => {
  function* twice(word: Register): Op<void> {
    yield* word.add(1);
    yield* word.add(1);
  }
  /** Only who comes first takes locks: no schedule has both orders. */
  const either = (others = 0): Program => {
    const edges = new LockEdges([]);
    const world: Program = () => {
      const turn = new Register('turn');
      const locks = { a: new Lock('a'), b: new Lock('b') };
      function* thread(held: 'a' | 'b', next: 'a' | 'b'): Op<void> {
        if ((yield* turn.add(1)) > 0) return;
        yield* locks[held].lock();
        edges.learn(held, next, true);
        yield* locks[next].lock();
      }
      const word = new Register('word');
      const threads: Record<string, Op<unknown>> = { ab: thread('a', 'b'), ba: thread('b', 'a') };
      for (let i = 0; i < others; i++) threads[`other ${i}`] = twice(word);
      return { threads };
    };
    return Object.assign(world, { edges });
  };

  it('each in a schedule that is right by itself, are told by the two schedules (R28)', () => {
    const program = either();
    for (const engine of ['dpor', 'bounded', 'pct'] as const) {
      const { verdict, failure } = explore(program, { engine });
      expect(verdict).toBe('fails');
      const both = [failure, ...(failure?.others ?? [])] as Failure[];
      expect(both.map(({ rule, preemptions }) => [rule, preemptions])).toEqual([
        ['R28', 0],
        ['R28', 0],
      ]);
      const messages = both.map(({ message }) => message).join();
      expect(messages).toContain('b is waited for under a; in another schedule, a is waited for under b');
      expect(messages).toContain('a is waited for under b; in another schedule, b is waited for under a');
      expect(timeline(failure as Failure).match(/^R28 is broken/gm)).toHaveLength(2);
    }
  });

  // They are sought once more, which takes as long again: what took longer than the search may was once not told, and where that was both, all was well.
  it('are both told though it takes longer to find them again than the search may take', () => {
    const program = either(3);
    let [time, hour] = [0, 0];
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => {
      time += hour;
      return time;
    });
    vi.spyOn(program.edges as LockEdges, 'circle').mockImplementation(function (this: LockEdges) {
      hour = 3_600_000;
      return LockEdges.prototype.circle.call(this);
    });
    const { exhausted, schedules, failure } = explore(program, { engine: 'dpor', maxSeconds: 60 });
    clock.mockRestore();
    expect(exhausted).toBe(true);
    expect(schedules).toBeGreaterThan(128);
    expect(failure?.others).toHaveLength(1);
  });

  // A replay once went on where the search had ended, as it sought nothing.
  it('are told again by the token of either schedule', () => {
    const { failure } = explore(either(), { engine: 'bounded' });
    for (const found of [failure, ...(failure?.others ?? [])] as Failure[]) {
      const { rule, dropped, choices, recording, sought } = found;
      const steps = recording.steps.map(({ what }) => what);
      const token = encodeToken({ scenario: 'either', strategy: 'none', rule, dropped, choices, steps, sought });
      const again = replayed(either(), decodeToken(token));
      expect(again).toMatchObject({ rule: 'R28', message: found.message, sought });
      expect(again?.recording.steps).toEqual(recording.steps);
    }
  });

  it('are found by way of the documented order, and where a machine takes one of them', () => {
    const program = kernelProgram(scenarioNamed('swap-in-x-migrate'), { strategy: base });
    expect(explore(program, { engine: 'bounded', preemptions: 0 }).failure).toBeNull();
    expect(program.edges?.all).toContainEqual({ held: 'vma', next: 'folio' });
    expect(program.edges?.circle()).toEqual([]);
    // As if another schedule had waited for a VMA under a folio.
    program.edges?.learn('folio', 'vma', true);
    expect(program.edges?.circle()).toHaveLength(2);
    expect(explore(program, { engine: 'bounded', preemptions: 0 }).failure).toMatchObject({
      rule: 'R28',
      message: expect.stringContaining('folio is waited for under vma; in another schedule, vma is waited for under folio'),
      others: [],
    });
  });
});

describe('a strategy is found out that', () => {
  it('sleeps in an RCU section (R30)', () => {
    const strategy = broken((rmap, services) => {
      const lock = services.rwsem('anon_vma');
      beforeWalk(rmap, function* () {
        services.rcu.readLock();
        yield* lock.read();
      });
    });
    const { rule, message } = failureOf('fork-x-walk', strategy);
    expect(rule).toMatch(/^R(16|30)$/);
    expect(message).toContain('RCU read section');
  });

  it('sleeps under a spinlock (R16)', () => {
    const strategy = broken((rmap, services) => {
      const spin = services.spinlock('page_table_lock');
      const lock = services.rwsem('anon_vma');
      beforeWalk(rmap, function* () {
        yield* spin.lock();
        yield* lock.read();
      });
    });
    expect(failureOf('fork-x-walk', strategy)).toMatchObject({ rule: 'R16' });
  });

  it('takes two locks against the order that it declared, though nobody ever takes them the other way round (R28)', () => {
    const strategy = broken(
      (rmap, services) => {
        const outer = services.rwsem('outer');
        const inner = services.rwsem('inner');
        beforeWalk(rmap, function* () {
          yield* inner.read();
          yield* outer.read();
          outer.readUnlock();
          inner.readUnlock();
        });
      },
      [
        { name: 'outer', slot: 'above-ptl', kind: 'rwsem' },
        { name: 'inner', slot: 'above-ptl', kind: 'rwsem' },
      ],
    );
    const { rule, message } = failureOf('fork-x-walk', strategy);
    expect(rule).toBe('R28');
    expect(message).toContain('outer is waited for under inner');
  });

  it('allocates under a lock that walks wait for (R29)', () => {
    const strategy = broken((rmap, services) => {
      const lock = services.rwsem('anon_vma');
      const cache = boxes(services);
      beforeWalk(rmap, function* () {
        yield* lock.read();
        const box = yield* cache.alloc();
        cache.free(box);
        lock.readUnlock();
      });
    });
    expect(failureOf('fork-x-walk', strategy)).toMatchObject({ rule: 'R29' });
  });

  it('counts in two threads without a lock (data race), but not where the accesses are marked', () => {
    const counting = (marked: readonly string[]): RmapStrategy =>
      broken((rmap, services) => {
        const box = boxes(services, marked).tryAlloc() as Box;
        beforeAnchor(rmap, () => {
          box.count++;
        });
      });
    const race = failureOf('both-write', counting([]));
    expect(race.rule).toBe('race');
    expect(race.message).toMatch(
      /'count': (parent|child) (stores|loads), (parent|child) (stored|loaded), and no lock orders the two/,
    );
    const { threads, steps } = race.recording;
    const { first, second } = race.cause as NonNullable<typeof race.cause>;
    expect(second).toBe(steps.length - 1);
    expect([steps[first], steps[second]].map(({ thread }) => threads[thread]).sort()).toEqual(['child', 'parent']);
    expect(sentenceOf(race)).toMatch(
      /^A data race: 'count': .*; these are (parent|child)'s '.*' \(step \d+\) and (parent|child)'s '.*' \(step \d+\), and /,
    );
    expect(timeline(race).match(/ \* /g)).toHaveLength(2);
    // Then only the object is wrong that nobody frees (R15).
    expect(failureOf('both-write', counting(['count']))).toMatchObject({ rule: 'R15' });
  });

  it('counts so in memory that keeps its type, but not where readers look at it in their sections', () => {
    const typesafe = (inSection: boolean): RmapStrategy =>
      broken((rmap, services) => {
        const { rcu } = services;
        const cache = services.slab<Box>('box', { bytes: 8, create: () => ({ count: 0 }), typesafeByRcu: true });
        const box = cache.tryAlloc() as Box;
        beforeAnchor(rmap, () => {
          if (inSection) rcu.readLock();
          box.count++;
          if (inSection) rcu.readUnlock();
        });
      });
    expect(failureOf('both-write', typesafe(false))).toMatchObject({ rule: 'race' });
    expect(failureOf('both-write', typesafe(true))).toMatchObject({ rule: 'R15' });
  });

  it('loads what another thread frees without a lock that orders the two (data race), though never after it', () => {
    const strategy = broken((rmap, services) => {
      const cache = boxes(services);
      const box = cache.tryAlloc() as Box;
      let looked = false;
      beforeAnchor(rmap, () => {
        if (looked) cache.free(box);
        else expect(box.count).toBe(0);
        looked = true;
      });
    });
    const { rule, message } = failureOf('both-write', strategy);
    expect(rule).toBe('race');
    expect(message).toMatch(/'count': (parent|child) frees, (parent|child) loaded, and no lock orders the two/);
  });

  it('looks for VMAs in an address space that is gone (R31)', () => {
    const strategy = broken((rmap) => {
      const { mmInit } = rmap;
      const known: Mm[] = [];
      rmap.mmInit = (mm) => {
        known.push(mm);
        return mmInit?.call(rmap, mm);
      };
      beforeWalk(rmap, function* () {
        for (const mm of known) yield* mm.vmas.find(0 as Address);
      });
    });
    expect(failureOf('exit-x-walk', strategy)).toMatchObject({ rule: 'R31' });
  });

  it('uses an object that another thread freed (R31)', () => {
    const strategy = broken((rmap, services) => {
      const cache = boxes(services, ['count']);
      const box = cache.tryAlloc() as Box;
      let freed = false;
      beforeAnchor(rmap, () => {
        if (!freed) cache.free(box);
        else box.count++;
        freed = true;
      });
    });
    expect(failureOf('both-write', strategy)).toMatchObject({ rule: 'R31' });
  });

  it('frees what a reader may still look at in its section (R31), and not if it waits for the grace period', () => {
    const publishing = (wait: boolean): RmapStrategy =>
      broken((rmap, services) => {
        const cache = boxes(services, ['count']);
        const shared: { box: Box | null } = { box: cache.tryAlloc() };
        beforeAnchor(rmap, () => {
          const { box } = shared;
          shared.box = null;
          if (box === null) return;
          if (wait) cache.freeRcu(box);
          else cache.free(box);
        });
        beforeWalk(rmap, function* () {
          services.rcu.readLock();
          const box = yield* services.load(shared, 'box');
          // Another step, before which the object may go.
          yield* services.load(shared, 'box');
          if (box !== null) box.count++;
          services.rcu.readUnlock();
        });
      });
    expect(failureOf('write-x-walk', publishing(false))).toMatchObject({ rule: 'R31' });
    const program = kernelProgram(scenarioNamed('write-x-walk'), { strategy: publishing(true) });
    expect(explore(program, { engine: 'bounded', preemptions: 2 }).failure?.message ?? null).toBeNull();
  });

  it('takes a grace period for over as soon as nobody reads: its end may come late', () => {
    const strategy = broken((rmap, services) => {
      let waiting = false;
      beforeWalk(rmap, function* () {
        waiting = true;
        yield* services.rcu.synchronize();
        waiting = false;
      });
      beforeAnchor(rmap, () => {
        if (waiting) throw new RangeError('seen during a grace period that waits for nobody');
      });
    });
    expect(failureOf('write-x-walk', strategy)).toMatchObject({ rule: 'RangeError', preemptions: 1 });
  });

  it('keeps a lock after its walk', () => {
    const strategy = broken((rmap, services) => {
      const lock = services.rwsem('anon_vma');
      const walk = rmap.walk.bind(rmap);
      rmap.walk = function* (hold, query, visitor) {
        yield* walk(hold, query, visitor);
        yield* lock.read();
      };
    });
    expect(failureOf('fork-x-walk', strategy).message).toMatch(/still holds 1 lock\(s\)/);
  });

  // Readers get in past a writer that waits here, so that no schedule ended in the deadlock that the kernel's rwsem makes of it.
  it.each(['read', 'tryRead'] as const)('reads under a lock that it has for reading (R28), or tries to: %s', (again) => {
    const strategy = broken((rmap, services) => {
      const lock = services.rwsem('anon_vma');
      beforeWalk(rmap, function* () {
        yield* lock.read();
        if (again === 'read') yield* lock.read();
        else lock.tryRead();
        lock.readUnlock();
        lock.readUnlock();
      });
    });
    const { failure } = explore(kernelProgram(scenarioNamed('fork-x-walk'), { strategy }), { engine: 'bounded', preemptions: 1 });
    if (again === 'tryRead') expect(failure).toBeNull();
    else expect(failure).toMatchObject({ rule: 'R28', message: expect.stringContaining('waits to read under it once more') });
  });

  it('gives up a lock that it does not hold (R28)', () => {
    const strategy = broken((rmap, services) => {
      const lock = services.rwsem('anon_vma');
      beforeWalk(rmap, function* () {
        lock.readUnlock();
      });
    });
    expect(failureOf('fork-x-walk', strategy)).toMatchObject({ rule: 'R28' });
  });

  it('ends inside a read section', () => {
    const strategy = broken((rmap, services) => {
      beforeWalk(rmap, function* () {
        services.rcu.readLock();
      });
    });
    expect(failureOf('fork-x-walk', strategy).message).toContain('RCU read section');
  });
});

describe('plain accesses of threads that use what core offers to strategies', () => {
  interface World {
    readonly services: RmapServices;
    readonly cache: SlabCache<Box>;
    readonly shared: { box: Box | null };
    closed: boolean;
  }
  /** Such threads by themselves. */
  const verdictOf = (
    threads: (world: World) => Record<string, Op<unknown>>,
    preemptions = 3,
    engine: Engine = 'bounded',
  ): Verdict => {
    let services: RmapServices | null = null;
    const strategy: RmapStrategy = {
      ...base,
      create: (its) => {
        services = its;
        return base.create(its);
      },
    };
    const scenario: Scenario<World> = {
      name: 'by themselves',
      setup: () => {
        const given = services as unknown as RmapServices;
        const cache = boxes(given);
        return { services: given, cache, shared: { box: cache.tryAlloc() }, closed: false };
      },
      threads: (_, world) => threads(world),
      check: (_, { cache, shared: { box } }) => void (box !== null && cache.free(box)),
    };
    return explore(kernelProgram(scenario, { strategy }), { engine, preemptions });
  };

  const reader = function* ({ services, shared }: World): Op<void> {
    const { rcu } = services;
    rcu.readLock();
    rcu.readLock();
    const box = yield* services.load(shared, 'box');
    rcu.readUnlock();
    if (box !== null) expect(box.count).toBe(0);
    rcu.readUnlock();
  };
  const updater = function* ({ services, cache, shared }: World, how: 'waits' | 'leaves it' | 'frees'): Op<void> {
    const { box } = shared as { box: Box };
    yield* services.store(shared, 'box', null);
    if (how === 'leaves it') cache.freeRcu(box);
    else {
      if (how === 'waits') yield* services.rcu.synchronize();
      box.count++;
      cache.free(box);
    }
  };

  // Grace periods once ordered nothing: who had waited for one was in a race with readers that had ended.
  it.each(['waits', 'leaves it'] as const)('are ordered by a grace period for which the updater %s', (how) => {
    const { verdict, failure } = verdictOf((world) => ({
      one: reader(world),
      other: reader(world),
      updater: updater(world, how),
    }));
    expect([verdict, failure?.message]).toEqual(['passes', undefined]);
  });

  it('are not ordered by a section that ended, where nobody waited for a grace period', () => {
    const { failure } = verdictOf((world) => ({ reader: reader(world), updater: updater(world, 'frees') }), 0);
    expect(failure).toMatchObject({ rule: 'race', message: expect.stringContaining('updater stores, reader loaded') });
  });

  it('are not ordered by a grace period before which the section did nothing', () => {
    const { failure } = verdictOf((world) => ({
      reader: (function* (): Op<void> {
        yield* reader(world);
        yield* world.services.load(world, 'shared');
        void world.shared.box?.count;
      })(),
      updater: (function* (): Op<void> {
        yield* world.services.rcu.synchronize();
        (world.shared.box as Box).count++;
      })(),
    }));
    expect(failure).toMatchObject({ rule: 'race' });
  });

  // Sections that ended before the waiter went on were once all taken for such that it had waited for, and to source-DPOR their ends are independent of that.
  it.each(['brute-force', 'dpor', 'bounded', 'state'] as const)(
    'are not ordered by a grace period that the section did not hold up: %s',
    (engine) => {
      const section = function* ({ services, shared }: World, use: () => void): Op<void> {
        services.rcu.readLock();
        yield* services.load(shared, 'box');
        use();
        yield* services.load(shared, 'box');
        services.rcu.readUnlock();
      };
      const { failure } = verdictOf(
        (world) => ({
          awaited: section(world, () => {}),
          reader: section(world, () => void (world.closed || world.shared.box?.count)),
          updater: (function* ({ services, shared }: World): Op<void> {
            yield* services.rcu.synchronize();
            world.closed = true;
            (shared.box as Box).count++;
          })(world),
        }),
        3,
        engine,
      );
      expect(failure).toMatchObject({ rule: 'race', message: expect.stringContaining('updater stores, reader loaded') });
    },
  );

  // What an allocation may reclaim is told like a lock, which once ordered all that was done before one and after another.
  it('are not ordered by allocations from one cache', () => {
    const { failure } = verdictOf(({ cache, shared: { box } }) => {
      const allocating = function* (use: () => void): Op<void> {
        cache.free(yield* cache.alloc());
        use();
        cache.free(yield* cache.alloc());
      };
      return {
        one: allocating(() => {
          (box as Box).count = 1;
        }),
        other: allocating(() => void (box as Box).count),
      };
    }, 0);
    expect(failure).toMatchObject({ rule: 'race', message: expect.stringContaining('other loads, one stored') });
  });
});

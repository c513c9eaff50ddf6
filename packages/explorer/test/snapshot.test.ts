import { type Op, PAGE_SIZE, type RmapStrategy } from '@rmap-lab/core';
import { anonVma } from '@rmap-lab/strategy-anon-vma';
import { anonVmaLazy } from '@rmap-lab/strategy-anon-vma-lazy';
import { cowContext } from '@rmap-lab/strategy-cow-context';
import { describe, expect, it } from 'vitest';
import { explore, keptProgram, kernelProgram, type Program, sample, scenarioNamed, scenarios } from '../src/index.js';
import { all, outcomes, step } from './support/outcomes.js';

/** Every sixth scenario; all with EXPLORER_LONG. */
const some = scenarios.filter((_, i) => process.env.EXPLORER_LONG === '1' || i % 6 === 0);

/** Every step of every thread, by name, and how the schedule ended. */
function logged(program: Program, how: 'fresh' | 'traced' | undefined, log: string[]): Program {
  function* listen(name: string, op: Op<unknown>): Op<unknown> {
    for (let turn = op.next(); ; turn = op.next()) {
      if (turn.done) return turn.value;
      const { kind, label, key } = turn.value;
      log.push(`${name}: ${kind} ${label} ${key}`);
      yield turn.value;
    }
  }
  return () => {
    const world = program(how);
    return {
      ...world,
      threads: Object.fromEntries(Object.entries(world.threads).map(([name, op]) => [name, listen(name, op)])),
      settle: (ends) => {
        for (const [name, end] of Object.entries(ends))
          log.push(`${name} ends: ${'error' in end ? end.error : typeof end.value}`);
        world.settle?.(ends);
      },
    };
  };
}

describe.each([anonVma(), anonVmaLazy(), anonVmaLazy('posted'), cowContext(), cowContext('poc')])(
  'a machine of $name that is put back',
  (strategy) => {
    it('does in a scenario what a fresh one does, event by event', () => {
      let events = 0;
      for (const scenario of some) {
        const program = kernelProgram(scenario, { strategy });
        const draw = (how?: 'fresh' | 'traced', maxSchedules = 4): { log: string[]; error: string } => {
          const log: string[] = [];
          const { failure } = sample(logged(program, how, log), {
            engine: 'random',
            depth: 1,
            seed: 7,
            maxSchedules,
            keepGoing: true,
          });
          return { log, error: String(failure?.error) };
        };
        const fresh = draw('fresh');
        expect(draw(), scenario.name).toEqual(fresh);
        // Where a final state is known, only what has changed is put back.
        expect(draw(), scenario.name).toEqual(fresh);
        // One that is traced does the same, too; it takes longer to make.
        if (scenario.name.length % 7 === 0) expect(draw('traced', 1).log, scenario.name).toEqual(draw('fresh', 1).log);
        events += fresh.log.length;
      }
      expect(events).toBeGreaterThan(some.length * 40);
    });
  },
);

describe('a final state that was checked before', () => {
  it.each([
    ['fork-x-migrate', cowContext('poc')],
    ['fork-child-x-ksm', anonVmaLazy('posted')],
  ])('is failed again where it is wrong, and told from all others: %s', (name, strategy) => {
    const program = kernelProgram(scenarioNamed(name), { strategy });
    const draw = (fresh: boolean) =>
      sample(() => program(fresh ? 'fresh' : undefined), {
        engine: 'random',
        depth: 1,
        seed: 3,
        maxSchedules: 300,
        keepGoing: true,
      });
    const { failures, schedules } = draw(true);
    expect(failures).toBeGreaterThan(2);
    expect(draw(false)).toMatchObject({ failures, schedules });
  });
});

describe('a strategy with state that a machine could not put back', () => {
  it('gets a fresh machine for every schedule', () => {
    const base = anonVma();
    let made = 0;
    const strategy = (state: 'managed' | 'free'): RmapStrategy => ({
      ...base,
      state,
      create: (services) => {
        made++;
        return base.create(services);
      },
    });
    const draw = (state: 'managed' | 'free'): number => {
      made = 0;
      sample(kernelProgram(scenarioNamed('both-write'), { strategy: strategy(state) }), {
        engine: 'random',
        depth: 1,
        seed: 1,
        maxSchedules: 9,
      });
      return made;
    };
    expect(draw('free')).toBe(9);
    expect(draw('managed')).toBe(1);
  });
});

describe('a scenario', () => {
  it('finds the world of its setup again, whatever its threads did to it', () => {
    const seen: string[] = [];
    const program = kernelProgram(
      {
        name: 'two writers',
        setup: (kernel) => {
          const process = kernel.spawn();
          const at = process.mmap(4 * PAGE_SIZE);
          process.write(at);
          return { process, at, names: ['set up'], counts: new Map([['writes', 1]]) };
        },
        threads: (kernel, world) => {
          const { live } = kernel.stats().slab.vm_area_struct;
          seen.push(`${world.names.join()} ${world.counts.get('writes')} ${live} ${kernel.processes.length}`);
          world.names.push('run');
          world.counts.set('writes', 2);
          return { unmap: world.process.op.munmap(world.at, PAGE_SIZE), fork: world.process.op.fork() };
        },
      },
      { strategy: anonVma() },
    );
    expect(sample(program, { engine: 'random', depth: 1, seed: 1, maxSchedules: 20 }).failures).toBe(0);
    expect(seen).toHaveLength(20);
    expect(new Set(seen)).toEqual(new Set(['set up 1 1 1']));
  });
});

describe('a fingerprint', () => {
  it('tells every word of large memory, element, entry and field of new objects, wherever it differs first', () => {
    const make = () => ({
      words: new Int32Array(4096),
      list: [1, 2, 3],
      map: new Map([['a', 1]]),
      set: new Set([1]),
      pair: new Set(['a', 'b']),
      found: null as object | null,
    });
    type Box = ReturnType<typeof make>;
    let change = (_: Box): void => {};
    const program = keptProgram(make, (box, kept) => {
      change(box);
      return { threads: {}, fingerprint: () => kept?.state() ?? -1 };
    });
    program();
    const after = (next: (box: Box) => void): number | undefined => {
      change = next;
      return program().fingerprint?.();
    };
    const changes: ((box: Box) => void)[] = [
      () => {},
      ...[0, 63, 64, 1000, 2047, 4095].map((at) => (box: Box) => {
        box.words[at] = 7;
      }),
      (box) => {
        box.words[1000] = 8;
        box.words[5] = 8;
      },
      (box) => box.list.pop(),
      (box) => box.list.push(3),
      (box) => box.list.reverse(),
      (box) => box.map.set('a', 2),
      (box) => box.map.set('b', 1),
      (box) => box.map.delete('a'),
      (box) => box.set.add(2),
      (box) => box.pair.delete('a') && box.pair.add('a'),
      ...[1, 2].map((value) => (box: Box) => {
        box.found = { value, next: { value: 3 } };
      }),
      (box) => {
        box.found = { value: 1, next: { value: 4 } };
      },
      (box) => {
        box.found = { value: 1, next: null };
      },
      (box) => {
        box.found = [1];
      },
    ];
    const states = changes.map(after);
    expect(new Set(states).size).toBe(changes.length);
    // Put back each time, and known again in any order.
    expect([...changes].reverse().map(after).reverse()).toEqual(states);
  });

  it.each<[string, unknown, unknown]>([
    ['null and 7', null, 7],
    ['true and 3', true, 3],
    ['undefined and a bigint', undefined, 11n],
    ['two bigints', 1n, 2n],
    ['two symbols', Symbol('one'), Symbol('one')],
    ['texts in a row', ['ab'], ['a', 'b']],
    ['texts side by side', { a: 'x', b: 'xy' }, { a: 'xx', b: 'y' }],
    ['a text and its bigint', '1', 1n],
    ['words of an array', Int32Array.of(0, 5), Int32Array.of(4, 0)],
    ['lengths of an array', new Int32Array(1), new Int32Array(2)],
    ['fields of other names', { a: 1 }, { b: 1 }],
    ['a hole and what is undefined', [undefined], new Array(1)],
    ['an array and a set', [1], new Set([1])],
    ['an array and what it holds', [[1], 2], [[1, 2]]],
  ])('tells apart %s', (_, one, other) => {
    let next: unknown;
    const program = keptProgram(
      () => ({ found: 0 as unknown }),
      (box, kept) => {
        box.found = next;
        return { threads: {}, fingerprint: () => kept?.state() ?? -1 };
      },
    );
    const after = (value: unknown): number | undefined => {
      next = value;
      return program().fingerprint?.();
    };
    expect(after(one)).not.toBe(after(other));
    expect(after(one)).toBe(after(one));
  });

  it('finds everything as it was when it was put back, also where that was done for what had changed only', () => {
    const make = () => ({
      words: new Int32Array(4096),
      list: [1, 2, 3],
      map: new Map([['a', { value: 1 }]]),
      set: new Set([1, 2]),
      box: { value: 1, other: null as object | null },
    });
    type Box = ReturnType<typeof make>;
    const changes: ((box: Box) => void)[] = [
      (box) => box.words.fill(7, 100, 300),
      (box) => {
        box.words[4095] = 1;
        box.list.push(4, 5);
      },
      (box) => {
        box.list.length = 1;
        box.box.other = { value: 2 };
      },
      (box) => {
        box.map.set('b', { value: 2 }).delete('a');
        box.set.delete(1);
        box.set.add(1);
      },
      (box) => {
        Object.assign(box.map.get('a') ?? {}, { value: 3 });
        box.box.value++;
      },
    ];
    let checks = 0;
    const found: string[] = [];
    const program = keptProgram(make, (box, kept) => {
      found.push(JSON.stringify([[...box.words], box.list, [...box.map], [...box.set], box.box]));
      changes[found.length % changes.length](box);
      kept?.once(() => checks++);
      return { threads: {} };
    });
    for (let i = 0; i < 4 * changes.length; i++) program();
    expect(new Set(found).size).toBe(1);
    expect(checks).toBe(changes.length);
  });
});

describe('the order of a set', () => {
  it('is part of the state, as threads see it', () => {
    const put = function* (world: { set: Set<string> }, value: string): Op<void> {
      yield step(world);
      world.set.add(value);
    };
    const found = outcomes(
      () => ({ set: new Set<string>() }),
      (world) => ({ a: put(world, 'a'), b: put(world, 'b') }),
      ({ set }) => [...set].join(),
    );
    expect(found).toEqual(all('a,b', 'b,a'));
  });
});

describe('an object that is used like a map', () => {
  const [one, other] = [(): void => {}, (): void => {}];
  const make = () => ({ table: { a: 1, b: 2 } as Record<string, unknown>, fixed: 0 });
  type World = ReturnType<typeof make>;
  // As many names as before were taken for the same names, and names came back in another order; functions were all alike.
  const changes: readonly ((world: World) => unknown)[] = [
    () => {},
    ({ table }) => delete table.a,
    ({ table }) => {
      table.a = undefined;
    },
    ...[3, 4, one, other].flatMap((value) => [
      ({ table }: World) => delete table.a && Object.assign(table, { c: value }),
      ({ table }: World) => Object.assign(table, { c: value }),
      ({ table }: World) => Object.assign(table, { b: value }),
    ]),
    ({ table }) => delete table.a && delete table.b && Object.assign(table, { c: 1, d: 1 }),
  ];

  it('is another state for each of its names and values, and is put back in order', () => {
    const found = new Set<string>();
    let checks = 0;
    let change = changes[0];
    const program = keptProgram(make, (world, kept) => {
      found.add(JSON.stringify(world));
      change(world);
      kept?.once(() => checks++);
      return { threads: {} };
    });
    for (let round = 0; round < 2; round++)
      for (const next of changes) {
        change = next;
        program();
      }
    expect(found).toEqual(new Set([JSON.stringify(make())]));
    expect(checks).toBe(changes.length);
  });
});

describe('a field that a thread adds', () => {
  // It was looked for after schedules 1, 2, 4, 8 .. only: what the last ones began with went unseen.
  it.each(['brute-force', 'bounded'] as const)('is found at the end of a search: %s', (engine) => {
    class Box {
      declare added?: true;
      calm = false;
    }
    const program = keptProgram(
      () => new Box(),
      (box, kept) => {
        const thread = function* (act: () => void): Op<void> {
          yield step(box);
          act();
        };
        const threads = {
          calming: thread(() => {
            box.calm = true;
          }),
          adding: thread(() => {
            if (!box.calm) box.added = true;
          }),
        };
        return { threads, ...kept?.views() };
      },
    );
    const options = { engine, seed: 4, maxSchedules: 2 };
    expect(() => explore(program, options)).toThrow("a thread added the field 'added' to a shared Box");
  });
});

describe('a hole of an array', () => {
  // They were once put back as elements that are undefined, so that only the first schedule met them.
  it.each<[string, (list: unknown[]) => unknown, (list: unknown[]) => unknown, string]>([
    ['is filled', (list) => list.fill(1, 0, 1), (list) => list.filter(() => true).length, '0,3 1'],
    ['is filled with nothing', (list) => list.fill(undefined), (list) => 1 in list, '0,1,2,3,4 false'],
    ['is made', (list) => delete list[3], (list) => Object.keys(list).join(), ' 3'],
    ['goes', (list) => list.splice(0, 3), (list) => list.length, '0 5'],
  ])('is put back, and is part of the state: %s', (_, change, look, end) => {
    const found = outcomes(
      () => ({ list: Object.assign(new Array<unknown>(5), { 3: 7 }), seen: '' }),
      (world) => ({
        a: (function* (): Op<void> {
          yield step(world);
          change(world.list);
        })(),
        b: (function* (): Op<void> {
          yield step(world);
          world.seen = `${look(world.list)}`;
        })(),
      }),
      ({ list, seen }) => `${Object.keys(list).join()} ${seen}`,
    );
    expect(found.bruteForce).toHaveLength(2);
    expect(found.bruteForce).toContain(end);
    expect(found).toEqual(all(...found.bruteForce));
  });
});

describe('the memory of a typed array', () => {
  it.each<[string, () => Uint8Array]>([
    ['with bytes behind its last word', () => new Uint8Array(5)],
    ['that begins in a word', () => new Uint8Array(new ArrayBuffer(16), 2, 8)],
  ])('is put back and is part of the state: %s', (_, make) => {
    for (const at of [0, 4]) {
      const add = function* ({ bytes }: { bytes: Uint8Array }): Op<void> {
        yield step(bytes);
        const before = bytes[at];
        yield step(bytes);
        bytes[at] = before + 1;
      };
      const found = outcomes(
        () => ({ bytes: make() }),
        (world) => ({ a: add(world), b: add(world) }),
        ({ bytes }) => bytes.join(),
      );
      expect(found.bruteForce).toHaveLength(2);
      expect(found).toEqual(all(...found.bruteForce));
    }
  });
});

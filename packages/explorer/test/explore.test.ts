import { deflateRawSync } from 'node:zlib';
import { type Op, run } from '@rmap-lab/core';
import { describe, expect, it } from 'vitest';
import {
  BadToken,
  bounded,
  Diverged,
  decodeToken,
  Endless,
  type Engine,
  encodeToken,
  explore,
  exploreInTurns,
  type Failure,
  keptProgram,
  Lock,
  lockProgram,
  type Program,
  Register,
  racyProgram,
  replay,
  sample,
  timeline,
  Unrepeatable,
} from '../src/index.js';

/** Two threads that add to a word without a lock. */
const lostUpdate: Program = () => {
  const word = new Register('count');
  function* add(): Op<void> {
    yield* word.store((yield* word.load()) + 1);
  }
  return {
    threads: { one: add(), two: add() },
    settle: () => {
      if (word.value !== 2) throw new RangeError(`the count is ${word.value}`);
    },
  };
};

/** The same as the first and the last of many threads. */
const crowded =
  (threads: number): Program =>
  () => {
    const { threads: two, settle } = lostUpdate();
    const idle = Array.from({ length: threads - 2 }, (_, i) => [`idle ${i}`, (function* (): Op<void> {})()] as const);
    return { threads: { one: two.one, ...Object.fromEntries(idle), two: two.two }, settle };
  };

/** Two threads that take two locks the other way round. */
const crossedLocks: Program = () => {
  const a = new Lock('a');
  const b = new Lock('b');
  function* both(first: Lock, second: Lock): Op<void> {
    yield* first.lock();
    yield* second.lock();
    yield* second.unlock();
    yield* first.unlock();
  }
  return { threads: { ab: both(a, b), ba: both(b, a) } };
};

/** Peterson's algorithm; without saying whose turn it is, both may enter. */
const peterson =
  (withTurn: boolean): Program =>
  () => {
    const wants = [new Register('wants 0'), new Register('wants 1')];
    const turn = new Register('turn');
    let inside = 0;
    function* enter(me: number): Op<boolean> {
      yield* wants[me].store(1);
      if (withTurn) yield* turn.store(1 - me);
      if ((yield* wants[1 - me].load()) === 1 && (!withTurn || (yield* turn.load()) === 1 - me)) return false;
      if (++inside > 1) throw new RangeError('both are inside');
      yield* turn.load();
      inside--;
      yield* wants[me].store(0);
      return true;
    }
    return { threads: { zero: enter(0), one: enter(1) } };
  };

const failureOf = (program: Program, engine: Engine = 'dpor'): Failure => {
  const { failure } = explore(program, { engine });
  if (failure === null) throw new Error('nothing was found');
  return failure;
};

describe('explore', () => {
  it.each(['dpor', 'brute-force', 'bounded', 'pct', 'pos', 'random'] as const)(
    'finds a lost update by %s, with one preemption',
    (engine) => {
      const verdict = explore(lostUpdate, { engine });
      expect(verdict).toMatchObject({ verdict: 'fails', exhausted: false, failure: { rule: 'RangeError', preemptions: 1 } });
    },
  );

  it.each(['dpor', 'brute-force', 'bounded', 'pct', 'pos', 'random'] as const)(
    'takes 32 threads by %s, and refuses more',
    (engine) => {
      expect(explore(crowded(32), { engine })).toMatchObject({ verdict: 'fails', failure: { preemptions: 1 } });
      expect(() => explore(crowded(33), { engine })).toThrow(/has 33 threads, and at most 32 can be explored/);
    },
  );

  it('finds a deadlock and says who waits for what', () => {
    const failure = failureOf(crossedLocks);
    expect(failure.rule).toBe('R28');
    expect(failure.message).toContain('ab waits for b; ba waits for a');
    expect(failure.preemptions).toBe(1);
  });

  it('passes an algorithm that is right, and finds what is wrong with half of it', () => {
    expect(explore(peterson(true))).toMatchObject({ verdict: 'passes', exhausted: true, bound: 'every interleaving' });
    expect(explore(peterson(true), { engine: 'brute-force' }).exhausted).toBe(true);
    // Both may be refused, but never may both enter, with or without a turn: the flags are stored before they are read.
    expect(explore(peterson(false)).verdict).toBe('passes');
  });

  it('says what a bounded or a sampled search covered', () => {
    expect(explore(lockProgram(3), { engine: 'bounded', preemptions: 1 })).toMatchObject({
      verdict: 'passes',
      exhausted: false,
      bound: 'at most 1 preemptions',
    });
    expect(explore(lockProgram(1), { engine: 'bounded', preemptions: 9 })).toMatchObject({
      exhausted: true,
      bound: 'every interleaving',
    });
    expect(explore(lockProgram(3), { engine: 'bounded', maxSchedules: 30 })).toMatchObject({
      exhausted: false,
      bound: 'at most 0 preemptions; with one more, stopped by its budget after 30 schedules',
    });
    const sampled = explore(lockProgram(2), { engine: 'pct', maxSchedules: 50 });
    expect(sampled.schedules).toBe(50);
    expect(sampled.bound).toContain('50 schedules drawn by PCT');
    expect(explore(lockProgram(4), { maxSchedules: 10 })).toMatchObject({
      exhausted: false,
      bound: 'stopped by its budget after 10 schedules',
    });
  });

  it('counts no preemption where a thread offers to let others go first', () => {
    const counted =
      (offers: boolean): Program =>
      () => {
        const word = new Register('word');
        function* adding(): Op<void> {
          const value = yield* word.load();
          yield { kind: 'choice', object: {}, label: 'cond_resched', offers };
          yield* word.store(value + 1);
        }
        const settle = (): void => {
          if (word.value !== 2) throw new RangeError(`${word.value}`);
        };
        return { threads: { one: adding(), two: adding() }, settle };
      };
    expect(bounded(counted(false), 0).failure).toBeNull();
    expect(bounded(counted(true), 0).failure?.error.message).toBe('1');
    expect(explore(counted(false), { engine: 'bounded' }).failure?.preemptions).toBe(1);
    expect(explore(counted(true), { engine: 'dpor' }).failure?.preemptions).toBe(0);
    expect(bounded(counted(true), 1, { prefix: [0, 1] }).schedules).toBeGreaterThan(0);
  });

  it('counts schedules of a bounded search as combinatorics does', () => {
    // Without preemption: the order of the three threads.
    expect(bounded(racyProgram(1, 1), 0)).toMatchObject({ schedules: 6, exhausted: true, cut: true });
    // All interleavings of three threads of two steps: 6! / (2! 2! 2!).
    expect(bounded(racyProgram(1, 1), 9)).toMatchObject({ schedules: 90, exhausted: true, cut: false });
  });

  // What differed went unseen: steps were made that were not the ones, or that could not be made.
  it.each(['dpor', 'brute-force', 'bounded', 'state'] as const)(
    'refuses by %s a program that does not do the same each time',
    (engine) => {
      for (const differ of ['does another step', 'ends early', 'waits'] as const) {
        let worlds = 0;
        const forgetful = keptProgram(
          () => ({ word: new Register('word'), other: new Register('other') }),
          ({ word, other }, kept) => {
            const otherwise = worlds++ > 2;
            function* adding(): Op<void> {
              if (otherwise && differ === 'ends early') return;
              if (otherwise && differ === 'waits') yield* word.until((value) => value > 0);
              yield* (otherwise && differ === 'does another step' ? other : word).add(1);
              yield* word.add(1);
              yield* word.add(1);
            }
            return { threads: { one: adding(), two: adding() }, ...kept?.views() };
          },
        );
        expect(() => explore(forgetful, { engine }), differ).toThrow(Unrepeatable);
      }
    },
  );

  it('draws the same schedules for the same seed', () => {
    const drawn = (seed: number, engine: 'pct' | 'pos' | 'random') => {
      const traces: string[] = [];
      const onTrace = (history: { key(): string }): unknown => traces.push(history.key());
      sample(racyProgram(2, 1), { engine, seed, depth: 3, maxSchedules: 40, onTrace });
      return traces;
    };
    for (const engine of ['pct', 'pos', 'random'] as const) {
      expect(drawn(7, engine)).toEqual(drawn(7, engine));
      expect(drawn(7, engine)).not.toEqual(drawn(8, engine));
      expect(new Set(drawn(7, engine)).size).toBeGreaterThan(10);
    }
  });

  it.each(['dpor', 'brute-force', 'bounded', 'pct', 'pos', 'random'] as const)(
    'can be interrupted between turns by %s, and says what it did by then',
    async (engine) => {
      const interrupt = new AbortController();
      const options = { engine, preemptions: 99, maxSchedules: 1e9, signal: interrupt.signal };
      const verdict = await exploreInTurns(lockProgram(9), options, () => interrupt.abort());
      expect(verdict).toMatchObject({ verdict: 'passes', exhausted: false });
      expect(verdict.schedules).toBeGreaterThan(0);
      const said = /^(at most \d+ preemptions; with one more, )?interrupted after \d+ schedules$|^\d+ schedules drawn /;
      expect(verdict.bound).toMatch(said);
      expect(await exploreInTurns(lostUpdate, { engine })).toMatchObject({ verdict: 'fails', failure: { preemptions: 1 } });
    },
  );

  it('finds by PCT as often as it says, with the first schedule as well', () => {
    const seeds = Array.from({ length: 200 }, (_, i) => i);
    const found = seeds.filter((seed) => sample(lostUpdate, { engine: 'pct', depth: 2, seed, maxSchedules: 1 }).failure !== null);
    const { bound } = explore(lockProgram(1), { engine: 'pct', preemptions: 1, maxSchedules: 1 });
    expect(bound).toMatch(
      /^1 schedules drawn by PCT: .* depth 2 in the first \d+ steps is found with probability 0\.0\d+ or more$/,
    );
    const surely = explore(lockProgram(1), { engine: 'pct', preemptions: 1, maxSchedules: 1000 });
    expect(surely.bound).toMatch(/with probability 0\.99 or more$/);
    // One of two threads goes first, and is preempted before one of four steps.
    expect(found.length / seeds.length).toBeGreaterThanOrEqual(1 / (2 * 4));
  });

  it('refuses a depth that no schedule has', () => {
    const deep = (preemptions: number) => explore(lockProgram(1), { engine: 'pct', preemptions, maxSchedules: 2 });
    expect(deep(4_999).schedules).toBe(2);
    expect(() => deep(5_000)).toThrow(/pct makes fewer than 5000 preemptions.*, not 5000$/);
    expect(() => deep(5_000_000_000)).toThrow(RangeError);
  });

  it('says of a thread that spins that it never ends', () => {
    const flag = new Register('flag');
    function* spin(): Op<void> {
      while ((yield* flag.load()) === 0);
    }
    const { failure } = explore(() => ({ threads: { spin: spin() } }));
    expect(failure).toMatchObject({ rule: 'progress' });
    expect(new Endless('').name).toBe('Endless');
  });

  it('leaves an operation of registers and locks to run alone as well', () => {
    const word = new Register('word', 3);
    expect(() => run(word.add(1))).toThrow(/sequential operation/);
  });
});

describe('a failing schedule', () => {
  it('is replayed from its token, step by step', () => {
    const failure = failureOf(lostUpdate);
    const steps = failure.recording.steps.map(({ what }) => what);
    const token = encodeToken({
      scenario: 'lost',
      dropped: [],
      strategy: 'none',
      rule: failure.rule,
      choices: failure.choices,
      steps,
    });
    expect(token).toMatch(/^rx2\.[\w-]+$/);
    const decoded = decodeToken(token);
    expect(decoded).toEqual({
      scenario: 'lost',
      dropped: [],
      strategy: 'none',
      rule: 'RangeError',
      choices: failure.choices,
      steps,
    });
    const recording = replay(lostUpdate, decoded);
    expect(recording.error?.message).toBe('the count is 1');
    expect(recording.steps).toEqual(failure.recording.steps);
  });

  it('is refused loudly where the program does something else by now', () => {
    const failure = failureOf(lostUpdate);
    const steps = failure.recording.steps.map(({ what }) => what);
    const token = { scenario: 'lost', dropped: [], strategy: 'none', rule: failure.rule, choices: failure.choices, steps };
    expect(() => replay(crossedLocks, token)).toThrow(Diverged);
    expect(() => replay(crossedLocks, token)).toThrow('diverged at step 0: expected ab: load count, found ab: lock a');
    expect(() => replay(lostUpdate, { ...token, choices: token.choices.slice(0, 2), steps: steps.slice(0, 2) })).toThrow(
      /found threads that go on/,
    );
    expect(() => replay(lostUpdate, { ...token, choices: [0, 0, 0, 0], steps: [] })).toThrow(/found one: nothing more to do/);
  });

  it('is no token when damaged', () => {
    expect(() => decodeToken('nonsense')).toThrow(BadToken);
    expect(() => decodeToken('rx1.AAAA')).toThrow(BadToken);
    expect(() => decodeToken('rx2.AAAA')).toThrow(BadToken);
  });

  const found = {
    scenario: 'munmap-x-walk',
    dropped: [1, 4],
    strategy: 'anon-vma-lazy:posted',
    rule: 'R18',
    choices: [0, 0, 1, 0, 1],
    steps: ['choice start', 'lock mmap_lock', 'choice start', 'lock vma', 'load start'],
  };

  // Most damage once went for a model that has changed.
  it('is no token with any character changed, missing or exchanged with the next', () => {
    const token = encodeToken(found);
    const damaged = [...token].flatMap((character, i) => [
      ...[...'AZaz09-_'].map((other) => token.slice(0, i) + other + token.slice(i + 1)),
      token.slice(0, i) + token.slice(i + 1),
      token.slice(0, i) + (token[i + 1] ?? '') + character + token.slice(i + 2),
    ]);
    for (const text of damaged) {
      try {
        // The last character has bits to spare.
        expect(decodeToken(text), text).toEqual(found);
      } catch (error) {
        if (!(error instanceof BadToken)) throw error;
      }
    }
  });

  const packed: unknown[] = ['s', 'anon-vma', 'R18', ['load x'], [[0, 0]]];
  const oldToken = (...content: unknown[]): string => `rx1.${deflateRawSync(JSON.stringify(content)).toString('base64url')}`;

  it('may be one of the old ones, without a checksum', () => {
    expect(decodeToken(oldToken(...packed))).toMatchObject({ scenario: 's', choices: [0], steps: ['load x'], dropped: [] });
    expect(decodeToken(oldToken(...packed, [2]))).toMatchObject({ dropped: [2] });
  });

  it.each<[string, unknown[]]>([
    ['a strategy that is a number', packed.with(1, 5)],
    ['no strategy', packed.with(1, null)],
    ['no rule', packed.with(2, undefined)],
    ['labels that are none', packed.with(3, [5])],
    ['no steps', packed.slice(0, 4)],
    ['a step that is none', packed.with(4, [0])],
    ['a step without a name', packed.with(4, [[0, 1]])],
    ['a step of no thread', packed.with(4, [[-1, 0]])],
    ['operations that are a number', [...packed, 5]],
    ['operations that are texts', [...packed, ['a']]],
    ['locks that are a text', [...packed, [], 'ab']],
    ['one lock', [...packed, [], ['a']]],
  ])('is no token with %s', (_, content) => {
    expect(() => decodeToken(oldToken(...content))).toThrow(BadToken);
    expect(() => decodeToken(oldToken(...content))).toThrow('it holds no schedule');
  });

  it('is drawn with a column for each thread', () => {
    const picture = timeline(failureOf(lostUpdate));
    expect(picture).toContain('RangeError is thrown: the count is 1');
    expect(picture).toContain('1 preemption\n');
    expect(picture).toMatch(/^ +one +two$/m);
    expect(picture).toMatch(/^ +0 +\* load count/m);
  });
});

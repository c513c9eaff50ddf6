import type { Op } from '@rmap-lab/core';
import { describe, expect, it } from 'vitest';
import { explore, Lock, type Program, Rcu, Register, type World } from '../src/index.js';

type Threads = World['threads'];
const program = (make: () => { readonly threads: Threads; readonly settle?: () => void }): Program => make;

class Wrong extends Error {
  override readonly name = 'Wrong';
}
const must = (holds: boolean, what: string): void => {
  if (!holds) throw new Wrong(what);
};

/** A section that only one thread may be in. */
class Section {
  private inside = 0;
  private readonly word = new Register('section');
  *enter(): Op<void> {
    yield this.word.storing;
    must(++this.inside === 1, 'two are inside');
    yield this.word.storing;
    this.inside--;
  }
}

/** Two threads that each set a flag and look at the other's, in an order that is right or not. */
const flags = (setFirst: boolean, turns: boolean): Program =>
  program(() => {
    const wants = [new Register('wants 0'), new Register('wants 1')];
    const turn = new Register('turn');
    const section = new Section();
    function* thread(me: number): Op<void> {
      const other = 1 - me;
      if (setFirst) yield* wants[me].store(1);
      if (turns) yield* turn.store(other);
      const busy = (yield* wants[other].load()) === 1 && (!turns || (yield* turn.load()) === other);
      if (!setFirst) yield* wants[me].store(1);
      if (!busy) yield* section.enter();
      yield* wants[me].store(0);
    }
    return { threads: { zero: thread(0), one: thread(1) } };
  });

/** A lazily made object: published before it is made, or after. */
const doubleChecked = (publishFirst: boolean): Program =>
  program(() => {
    const pointer = new Register('pointer');
    const data = new Register('data');
    const lock = new Lock('lock');
    function* get(): Op<void> {
      if ((yield* pointer.load()) === 0) {
        yield* lock.lock();
        if ((yield* pointer.load()) === 0) {
          for (const word of publishFirst ? [pointer, data] : [data, pointer]) yield* word.store(1);
        }
        yield* lock.unlock();
      }
      must((yield* data.load()) === 1, 'an object is used that was not made');
    }
    return { threads: { one: get(), two: get() } };
  });

/** A stack of two nodes; one thread pops, the other pops both and puts the first back, on top of nothing. With a count, a head that came back is told apart. */
const treiber = (counted: boolean): Program =>
  program(() => {
    const next = [0, 2, 0];
    const head = new Register('head', 1);
    let version = 0;
    let popped = 0;
    function* swap(expected: number, seen: number, value: number): Op<boolean> {
      yield head.storing;
      if (head.value !== expected || (counted && version !== seen)) return false;
      head.value = value;
      version++;
      return true;
    }
    function* pop(): Op<void> {
      const node = yield* head.load();
      const seen = version;
      if (node === 0) return;
      const below = next[node];
      if (yield* swap(node, seen, below)) popped += node;
    }
    function* reuse(): Op<void> {
      yield* pop();
      yield* pop();
      // Node 1 is at once used again, by somebody who has node 2 for himself.
      if (popped !== 3) return;
      next[1] = 0;
      popped -= 1;
      const top = yield* head.load();
      if (top === 0) yield* swap(0, version, 1);
    }
    return {
      threads: { pop: pop(), reuse: reuse() },
      settle: () => must(popped < 3 || head.value !== 2, 'a node that was taken is on the stack'),
    };
  });

/** A thread that sleeps until a condition holds: by looking and then sleeping, or by both at once. */
const wakeUp = (atOnce: boolean): Program =>
  program(() => {
    const condition = new Register('condition');
    const woken = new Register('woken');
    let sleeping = false;
    function* sleeper(): Op<void> {
      if (atOnce) yield* condition.until((value) => value === 1);
      else if ((yield* condition.load()) === 0) {
        yield woken.storing;
        sleeping = true;
        yield* woken.until((value) => value === 1);
      }
    }
    function* waker(): Op<void> {
      yield* condition.store(1);
      // Nobody sleeps, nobody is woken.
      yield woken.storing;
      if (sleeping) woken.value = 1;
    }
    return { threads: { sleeper: sleeper(), waker: waker() } };
  });

const philosophers = (ordered: boolean): Program =>
  program(() => {
    const forks = [0, 1, 2].map((i) => new Lock(`fork ${i}`));
    function* dine(i: number): Op<void> {
      const pair = [i, (i + 1) % 3];
      if (ordered) pair.sort();
      for (const fork of pair) yield* forks[fork].lock();
      for (const fork of pair) yield* forks[fork].unlock();
    }
    return { threads: { plato: dine(0), kant: dine(1), hume: dine(2) } };
  });

/** A reader that takes an object by its lock in a type-safe cache, where another owner may have it by then. */
const typeSafe = (recheck: boolean): Program =>
  program(() => {
    const pointer = new Register('pointer', 1);
    const owner = new Register('owner', 1);
    const lock = new Lock('object');
    const rcu = new Rcu('rcu');
    function* reader(): Op<void> {
      yield* rcu.read(function* () {
        if ((yield* pointer.load()) === 0) return;
        if (!(yield* lock.tryLock())) return;
        if (!recheck || (yield* pointer.load()) === 1) must((yield* owner.load()) === 1, "another owner's object is used");
        yield* lock.unlock();
      });
    }
    function* reuse(): Op<void> {
      yield* lock.lock();
      yield* pointer.store(0);
      // Freed, and at once somebody else's: no grace period is waited for.
      yield* owner.store(2);
      yield* lock.unlock();
    }
    return { threads: { reader: reader(), reuse: reuse() } };
  });

/** A reader that takes a reference in its section, or after it. */
const reference = (inside: boolean): Program =>
  program(() => {
    const pointer = new Register('pointer', 1);
    const count = new Register('count', 1);
    const freed = new Register('freed');
    const rcu = new Rcu('rcu');
    function* get(): Op<boolean> {
      must((yield* freed.load()) === 0, 'a reference is taken of what is freed');
      yield count.storing;
      if (count.value === 0) return false;
      count.value++;
      return true;
    }
    function* put(): Op<void> {
      if ((yield* count.add(-1)) > 1) return;
      yield* rcu.synchronize();
      yield* freed.store(1);
    }
    function* reader(): Op<void> {
      const got = yield* rcu.read(function* () {
        const there = (yield* pointer.load()) === 1;
        return there && (!inside || (yield* get()));
      });
      if (got && (inside || (yield* get()))) yield* put();
    }
    function* writer(): Op<void> {
      yield* pointer.store(0);
      yield* put();
    }
    return { threads: { reader: reader(), writer: writer() } };
  });

/** Tickets drawn by one store, or by a load and a store. */
const tickets = (atomic: boolean): Program =>
  program(() => {
    const next = new Register('next');
    const serving = new Register('serving');
    const section = new Section();
    function* thread(): Op<void> {
      let ticket: number;
      if (atomic) ticket = yield* next.add(1);
      else {
        ticket = yield* next.load();
        yield* next.store(ticket + 1);
      }
      yield* serving.until((value) => value === ticket);
      yield* section.enter();
      yield* serving.add(1);
    }
    return { threads: { one: thread(), two: thread() } };
  });

/** A reader of two words that looks at a sequence number before and after, or before only. */
const sequence = (after: boolean): Program =>
  program(() => {
    const number = new Register('sequence');
    const words = [new Register('a'), new Register('b')];
    function* reader(): Op<void> {
      const before = yield* number.load();
      if (before % 2 === 1) return;
      const a = yield* words[0].load();
      const b = yield* words[1].load();
      if (!after || (yield* number.load()) === before) must(a === b, 'half of a change is read');
    }
    function* writer(): Op<void> {
      yield* number.add(1);
      for (const word of words) yield* word.store(1);
      yield* number.add(1);
    }
    return { threads: { reader: reader(), writer: writer() } };
  });

const cases: [string, Program, Program, string][] = [
  ['mutual exclusion by flags that are set before they are looked at', flags(true, false), flags(false, false), 'Wrong'],
  ["Peterson's algorithm, and one that sets its flag too late", flags(true, true), flags(false, true), 'Wrong'],
  ['double-checked locking', doubleChecked(false), doubleChecked(true), 'Wrong'],
  ["Treiber's stack with counted heads, and with nodes that come back (ABA)", treiber(true), treiber(false), 'Wrong'],
  ['waking who sleeps, and who is about to', wakeUp(true), wakeUp(false), 'R28'],
  ['dining philosophers, who take the lower fork first, or the left one', philosophers(true), philosophers(false), 'R28'],
  ['an object of a type-safe cache, looked at again once it is locked, or not', typeSafe(true), typeSafe(false), 'Wrong'],
  ['a reference taken inside the read section, and after it', reference(true), reference(false), 'Wrong'],
  ['a ticket lock, and one whose tickets are drawn in two steps', tickets(true), tickets(false), 'any'],
  ['a sequence lock, and one whose reader does not look again', sequence(true), sequence(false), 'Wrong'],
];

describe('algorithms that are known to be right are exhausted, those known to be wrong are found out', () => {
  it.each(cases)('%s', (_, right, wrong, rule) => {
    expect(explore(right).failure?.message ?? null).toBeNull();
    expect(explore(right)).toMatchObject({ verdict: 'passes', exhausted: true });
    for (const engine of ['dpor', 'bounded', 'pct', 'pos', 'random'] as const) {
      const { failure } = explore(wrong, { engine });
      expect(failure, engine).not.toBeNull();
      if (rule !== 'any') expect(failure?.rule, engine).toBe(rule);
      expect(failure?.preemptions).toBeLessThanOrEqual(2);
    }
  });
});

it('null that is thrown at the end is a failure, and one that says nothing', () => {
  const settles = program(() => ({
    threads: {},
    settle: () => {
      // biome-ignore lint/style/useThrowOnlyError: a strategy may
      throw null;
    },
  }));
  expect(explore(settles).failure?.message).toBe('null');
});

// It went through the search, to whoever asked for it.
it.each([null, undefined, 'text', 7])('%s that a thread throws is a failure', (thrown) => {
  const throwing = function* (): Op<void> {
    yield { kind: 'choice', object: throwing, label: 'step' };
    throw thrown;
  };
  const throws = program(() => ({ threads: { a: throwing() } }));
  for (const engine of ['dpor', 'bounded', 'pct'] as const)
    expect(explore(throws, { engine })).toMatchObject({ verdict: 'fails', failure: { rule: 'Error', message: String(thrown) } });
});

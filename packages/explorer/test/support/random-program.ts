import type { Op } from '@rmap-lab/core';
import { keptProgram, Lock, type Program, Rcu, Register, seeded } from '../../src/index.js';

type Body = readonly Instruction[];
type Instruction =
  | { readonly kind: 'load' | 'store' | 'storeIfOdd' | 'add' | 'awaitEven'; readonly word: number }
  | { readonly kind: 'locked' | 'readLocked' | 'tryLocked'; readonly lock: number; readonly body: Body }
  | { readonly kind: 'section'; readonly body: Body }
  | { readonly kind: 'synchronize' };

interface Shared {
  readonly words: readonly Register[];
  readonly locks: readonly Lock[];
  readonly rcu: Rcu;
}

/**
 * A random program of two or three threads over two words, two reader-writer locks and RCU; and what its threads saw and left. Some wait
 * for a word, some queue a callback at their end, and a further thread stores a word when its grace period is over.
 */
export function randomProgram(seed: number): { program: Program; outcome: () => string } {
  const random = seeded(seed);
  const body = (length: number, depth: number, sleepy: boolean): Body =>
    Array.from({ length }, (): Instruction => {
      const kind = random(depth > 0 ? (sleepy ? 12 : 10) : 5);
      const word = random(2);
      if (kind < 2) return { kind: 'load', word };
      if (kind < 3) return { kind: 'store', word };
      if (kind < 4) return { kind: 'storeIfOdd', word };
      if (kind < 5) return { kind: 'add', word };
      if (kind === 11) return { kind: 'awaitEven', word };
      if (kind === 10) return { kind: 'synchronize' };
      // Nobody sleeps in a read section, and nobody waits for a grace period in one.
      const section = kind === 9;
      const inner = body(random(2) + (depth > 1 ? 1 : 0), section ? 0 : depth - 1, sleepy && !section);
      if (section) return { kind: 'section', body: inner };
      return { kind: kind < 7 ? 'locked' : kind < 8 ? 'readLocked' : 'tryLocked', lock: random(2), body: inner };
    });
  const count = 2 + random(2);
  const bodies = Array.from({ length: count }, () => body(count === 2 ? 1 + random(3) : 1 + random(2), 2, true));
  const caller = random(4) === 0 ? random(count) : -1;
  let shared: Shared;
  let seen: number[][] = [];

  function* run(instructions: Body, { words, locks, rcu }: Shared, saw: number[]): Op<void> {
    for (const instruction of instructions) {
      switch (instruction.kind) {
        case 'load':
          saw.push(yield* words[instruction.word].load());
          break;
        case 'store':
          yield* words[instruction.word].store(saw.length * 2 + 1);
          break;
        case 'storeIfOdd':
          if ((saw[saw.length - 1] ?? 0) % 2 === 1) yield* words[instruction.word].store(8);
          break;
        case 'add':
          saw.push(yield* words[instruction.word].add(1));
          break;
        case 'awaitEven':
          yield* words[instruction.word].until((value) => value % 2 === 0);
          break;
        case 'section':
          yield* rcu.read(() => run(instruction.body, { words, locks, rcu }, saw));
          break;
        case 'synchronize':
          yield* rcu.synchronize();
          break;
        default: {
          const lock = locks[instruction.lock];
          if (instruction.kind === 'tryLocked') {
            const got = yield* lock.tryLock();
            saw.push(got ? 1 : 0);
            if (!got) continue;
          } else if (instruction.kind === 'locked') yield* lock.lock();
          else yield* lock.readLock();
          yield* run(instruction.body, { words, locks, rcu }, saw);
          if (instruction.kind === 'readLocked') yield* lock.readUnlock();
          else yield* lock.unlock();
        }
      }
    }
  }

  function* thread(i: number, world: Shared): Op<void> {
    yield* run(bodies[i], world, seen[i]);
    if (i === caller) yield* world.rcu.call();
  }

  function* callback({ rcu, words }: Shared): Op<void> {
    yield* rcu.gracePeriod();
    yield* words[0].store(77);
  }

  const program = keptProgram(
    () => ({
      words: [new Register('x'), new Register('y')],
      locks: [new Lock('A'), new Lock('B')],
      rcu: new Rcu('rcu'),
    }),
    (world, kept) => {
      shared = world;
      seen = bodies.map(() => []);
      const threads = Object.fromEntries(bodies.map((_, i) => [`t${i}`, thread(i, world)]));
      if (caller >= 0) threads.callback = callback(world);
      return { threads, ...kept?.views() };
    },
  );
  return {
    program,
    outcome: () => `${shared.words.map(({ value }) => value).join()} ${seen.map((saw) => saw.join()).join(';')}`,
  };
}

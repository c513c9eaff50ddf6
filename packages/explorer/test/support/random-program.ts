import type { Op } from '@rmap-lab/core';
import { Lock, type Program, Register, seeded } from '../../src/index.js';

type Body = readonly Instruction[];
type Instruction =
  | { readonly kind: 'load' | 'store' | 'storeIfOdd' | 'add'; readonly word: number }
  | { readonly kind: 'locked' | 'readLocked' | 'tryLocked'; readonly lock: number; readonly body: Body };

/** A random program of two or three threads over two words and two locks; and what its threads saw and left. */
export function randomProgram(seed: number): { program: Program; outcome: () => string } {
  const random = seeded(seed);
  const body = (length: number, depth: number): Body =>
    Array.from({ length }, () => {
      const kind = random(depth > 0 ? 9 : 5);
      const word = random(2);
      if (kind < 2) return { kind: 'load', word };
      if (kind < 3) return { kind: 'store', word };
      if (kind < 4) return { kind: 'storeIfOdd', word };
      if (kind < 5) return { kind: 'add', word };
      const inner = body(random(2) + (depth > 1 ? 1 : 0), depth - 1);
      return { kind: kind < 7 ? 'locked' : kind < 8 ? 'readLocked' : 'tryLocked', lock: random(2), body: inner };
    });
  const count = 2 + random(2);
  const bodies = Array.from({ length: count }, () => body(count === 2 ? 1 + random(3) : 1 + random(2), 2));
  let words: Register[] = [];
  let seen: number[][] = [];

  function* run(instructions: Body, locks: readonly Lock[], saw: number[]): Op<void> {
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
        default: {
          const lock = locks[instruction.lock];
          if (instruction.kind === 'tryLocked') {
            const got = yield* lock.tryLock();
            saw.push(got ? 1 : 0);
            if (!got) continue;
          } else if (instruction.kind === 'locked') yield* lock.lock();
          else yield* lock.readLock();
          yield* run(instruction.body, locks, saw);
          if (instruction.kind === 'readLocked') yield* lock.readUnlock();
          else yield* lock.unlock();
        }
      }
    }
  }

  const program: Program = () => {
    words = [new Register('x'), new Register('y')];
    const locks = [new Lock('A'), new Lock('B')];
    seen = bodies.map(() => []);
    return { threads: Object.fromEntries(bodies.map((instructions, i) => [`t${i}`, run(instructions, locks, seen[i])])) };
  };
  return { program, outcome: () => `${words.map(({ value }) => value).join()} ${seen.map((saw) => saw.join()).join(';')}` };
}

import type { Op, RmapServices, RmapStrategy, RwSem, Step } from '@rmap-lab/core';
import { anonVma } from '@rmap-lab/strategy-anon-vma';
import { kernelProgram, type Program, seeded } from '../../src/index.js';

/** What one thread does: under which lock, to which words, with or without a step of its own before it. */
export type Deed =
  | readonly ['load' | 'add', word: number]
  | readonly ['copy' | 'endIfSame', word: number, from: number]
  /** Waits until two words are even, are not both even, or are the same: looks at the second word only where the first does not tell. */
  | readonly ['awaitEven' | 'awaitOdd' | 'awaitSame', word: number, other: number]
  | readonly ['look', lock: number]
  | readonly ['read' | 'write' | 'downgrade', lock: number, body: readonly Deed[]]
  /** All that the thread does up to its next step is one step: also what it does after an attempt that fails. */
  | readonly ['tryRead' | 'tryWrite', lock: number, body: readonly Deed[], step: boolean];

const LOCK = 'borrowed';
const base = anonVma();

interface Shared {
  readonly words: number[];
  readonly locks: readonly RwSem[];
}

/** Threads that use locks of the machine and some words, and what they saw and left. */
export function machineProgram(threads: readonly (readonly Deed[])[]): { program: Program; outcome: () => string } {
  let services: RmapServices;
  let shared: Shared;
  let seen: number[][] = [];
  const strategy: RmapStrategy = {
    ...base,
    name: 'lender',
    locks: [...base.locks, { name: LOCK, slot: 'above-ptl', kind: 'rwsem' }],
    create: (its) => {
      services = its;
      return base.create(its);
    },
  };
  const program = kernelProgram<Shared>(
    {
      name: 'borrowers',
      setup: () => ({ words: [0, 0, 1], locks: [services.rwsem(LOCK), services.rwsem(LOCK)] }),
      threads: (_, world) => {
        shared = world;
        seen = threads.map(() => []);
        return Object.fromEntries(threads.map((deeds, i) => [`t${i}`, doAll(deeds, world, seen[i])]));
      },
    },
    // A check would end a schedule where a thread reads once more under what it reads under, which is where orders are easily overlooked.
    { strategy, checked: false },
  );
  return { program, outcome: () => `${shared.words.join()} ${seen.map((saw) => saw.join()).join(';')}` };
}

function* doAll(deeds: readonly Deed[], { words, locks }: Shared, saw: number[]): Op<boolean> {
  const step = (enabled?: () => boolean): Step => ({ kind: 'store', object: words, label: 'words', ...(enabled && { enabled }) });
  const even = (word: number): boolean => words[word] % 2 === 0;
  for (const deed of deeds) {
    const [what, which] = deed;
    switch (what) {
      case 'load':
        yield step();
        saw.push(words[which]);
        break;
      case 'add':
        yield step();
        words[which]++;
        break;
      case 'copy':
        yield step();
        words[which] = words[deed[2]] * 2 + 1;
        break;
      case 'endIfSame':
        yield step();
        if (words[which] === words[deed[2]]) return false;
        break;
      case 'awaitEven':
        yield step(() => even(which) && even(deed[2]));
        break;
      case 'awaitOdd':
        yield step(() => !even(which) || !even(deed[2]));
        break;
      case 'awaitSame':
        yield step(() => words[which] === words[deed[2]]);
        break;
      case 'look':
        yield step();
        if (locks[which].tryWrite()) locks[which].writeUnlock();
        else saw.push(-1);
        break;
      default: {
        const lock = locks[which];
        const tries = what === 'tryRead' || what === 'tryWrite';
        if (tries) {
          if (deed[3]) yield step();
          const got = what === 'tryRead' ? lock.tryRead() : lock.tryWrite();
          saw.push(got ? 1 : 0);
          if (!got) break;
        } else yield* what === 'read' ? lock.read() : lock.write();
        const goesOn = yield* doAll(deed[2], { words, locks }, saw);
        const writes = what === 'write' || what === 'tryWrite' || what === 'downgrade';
        if (writes) lock.writeUnlock();
        if (what === 'downgrade') {
          lock.tryRead();
          yield step();
        }
        if (!writes || what === 'downgrade') lock.readUnlock();
        if (!goesOn) return false;
      }
    }
  }
  return true;
}

const KINDS = [
  ...(['load', 'add', 'copy', 'endIfSame', 'awaitEven', 'awaitOdd', 'awaitSame', 'look'] as const),
  ...(['read', 'write', 'downgrade', 'tryRead', 'tryWrite'] as const),
];

/** Two or three threads drawn by a seed. */
export function randomDeeds(seed: number): Deed[][] {
  const random = seeded(seed);
  const draw = (length: number, depth: number): Deed[] =>
    Array.from({ length }, (): Deed => {
      const what = KINDS[random(depth > 0 ? KINDS.length : 8)];
      switch (what) {
        case 'load':
        case 'add':
          return [what, random(3)];
        case 'look':
          return [what, random(2)];
        case 'read':
        case 'write':
        case 'downgrade':
          return [what, random(2), draw(1 + random(2), depth - 1)];
        case 'tryRead':
        case 'tryWrite':
          return [what, random(2), draw(random(2), depth - 1), random(2) === 0];
        default:
          return [what, random(3), random(3)];
      }
    });
  const count = 2 + random(2);
  return Array.from({ length: count }, () => draw(1 + random(count === 2 ? 4 : 2), 2));
}

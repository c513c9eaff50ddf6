import type { Operation } from '@rmap-lab/core';
import * as linux from '@rmap-lab/core';

/** Numbers that look random, the same for the same seed (xorshift32). */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) >>> 0 || 1;
    for (let i = 0; i < 8; i++) this.below(2);
  }

  /** An integer from 0 to n - 1. */
  below(n: number): number {
    this.state ^= this.state << 13;
    this.state ^= this.state >>> 17;
    this.state ^= this.state << 5;
    this.state >>>= 0;
    return this.state % n;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)];
  }
}

const RW = linux.PROT_READ | linux.PROT_WRITE;
const PROTECTIONS = [RW, RW, RW, linux.PROT_READ, linux.PROT_NONE, RW | linux.PROT_EXEC];
const MMAP_FLAGS = [0, 0, 0, 0, linux.MAP_NORESERVE, linux.MAP_NORESERVE, linux.MAP_POPULATE, linux.MAP_GROWSDOWN];
const MEMORY = ['private', 'private', 'private', 'private', 'file-private', 'file-private', 'shared', 'file-shared'] as const;
const ADVICE = [
  linux.MADV_DONTNEED,
  linux.MADV_DONTNEED,
  linux.MADV_DONTNEED,
  linux.MADV_DONTFORK,
  linux.MADV_DOFORK,
  linux.MADV_WIPEONFORK,
  linux.MADV_KEEPONFORK,
  linux.MADV_FREE,
  linux.MADV_RANDOM,
  linux.MADV_SEQUENTIAL,
  linux.MADV_NORMAL,
  linux.MADV_DONTDUMP,
  linux.MADV_DODUMP,
  linux.MADV_COLD,
  linux.MADV_WILLNEED,
  linux.MADV_POPULATE_READ,
  linux.MADV_POPULATE_WRITE,
  linux.MADV_GUARD_INSTALL,
  linux.MADV_GUARD_REMOVE,
];

/** Live processes at once, so that looks stay cheap. */
const MAX_PROCESSES = 8;

type Kind = Operation['op'];

/** What programs are made of. */
export interface Flavour {
  /** Pages of the arena that are used: few, so that pieces often come home and merge. */
  readonly pages: number;
  readonly kinds: Readonly<Partial<Record<Kind, number>>>;
  readonly advice?: readonly number[];
}

/** All of plain memory management. */
export const PLAIN: Flavour = {
  pages: 24,
  kinds: {
    mmap: 4,
    munmap: 2,
    mprotect: 3,
    mremap: 4,
    madvise: 3,
    brk: 1,
    read: 2,
    write: 9,
    fork: 3,
    exit: 3,
    thread: 1,
    exec: 1,
    mlock: 1,
    munlock: 1,
  },
};

/** A program of `length` operations. Weights are drawn anew for each program (swarm), so that each stresses a few kinds. */
export function randomProgram(random: Random, length: number, { pages, kinds, advice = ADVICE }: Flavour): Operation[] {
  const bag = (Object.entries(kinds) as [Kind, number][]).flatMap(([kind, weight]) =>
    Array<Kind>(random.below(4) === 0 ? 0 : weight * (1 + random.below(3))).fill(kind),
  );
  bag.push('mmap', 'write', 'write');
  const program: Operation[] = [];
  let live = 1;
  while (program.length < length) {
    const op = random.pick(bag);
    const born = op === 'fork' || op === 'thread';
    if (born && live === MAX_PROCESSES) continue;
    if (op === 'exit' && live === 1) continue;
    live += born ? 1 : op === 'exit' ? -1 : 0;
    program.push(randomOperation(random, op, random.below(live), pages, advice));
  }
  return program;
}

function randomOperation(random: Random, op: Kind, process: number, pages: number, advice: readonly number[]): Operation {
  const at = random.below(pages);
  const range = { process, at, pages: 1 + random.below(Math.min(6, pages - at)) };
  switch (op) {
    case 'mmap':
      return {
        op,
        ...range,
        prot: random.pick(PROTECTIONS),
        ...mapping(random),
        offset: random.below(3) === 0 ? at : random.below(12),
      };
    case 'munmap':
    case 'mlock':
    case 'munlock':
      return { op, ...range };
    case 'mprotect':
      return { op, ...range, prot: random.pick(PROTECTIONS) };
    case 'madvise':
      return { op, ...range, advice: random.pick(advice) };
    case 'mremap':
      return random.below(4) === 0
        ? { op, ...range, newPages: 1 + random.below(8), to: null, dontUnmap: false }
        : { op, ...range, newPages: resized(random, range.pages), to: random.below(pages), dontUnmap: random.below(4) === 0 };
    case 'brk':
      return { op, process, pages: random.below(7) - 3 };
    case 'uffdMove':
      return { op, process, to: at, from: random.below(pages), pages: 1 + random.below(3) };
    case 'fill':
      return { op, process, at, pattern: 1 + random.below(2) };
    case 'read':
    case 'write':
      return { op, process, at };
    default:
      return { op: op as 'fork', process };
  }
}

const resized = (random: Random, pages: number): number => (random.below(6) === 0 ? 1 + random.below(6) : pages);

function mapping(random: Random): Pick<Extract<Operation, { op: 'mmap' }>, 'memory' | 'flags'> {
  const memory = random.pick(MEMORY);
  const flags = random.pick(MMAP_FLAGS);
  return { memory, flags: memory !== 'private' && flags === linux.MAP_GROWSDOWN ? 0 : flags };
}

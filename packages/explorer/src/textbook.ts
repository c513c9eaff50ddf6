import type { Op } from '@rmap-lab/core';
import type { Program } from './program.js';
import { Lock, Register } from './shared.js';

// A function* made in each world would be a class of generators of its own, which keeps the world alive for long.

/** Three threads, each with `sections` critical sections under two locks in turn, in which a word is read and written. */
export const lockProgram =
  (sections: number): Program =>
  () => {
    const locks = [new Lock('A'), new Lock('B')];
    const words = [new Register('a'), new Register('b')];
    const thread = (): Op<void> => countUnderLocks(locks, words, sections);
    return { threads: { first: thread(), second: thread(), third: thread() } };
  };

function* countUnderLocks(locks: readonly Lock[], words: readonly Register[], sections: number): Op<void> {
  for (let i = 0; i < sections; i++) {
    const lock = locks[i % 2];
    const word = words[i % 2];
    yield lock.locking;
    lock.writer = true;
    yield word.loading;
    const { value } = word;
    yield word.storing;
    word.value = value + 1;
    yield lock.unlocking;
    lock.writer = false;
  }
}

/** Three threads that read and write `variables` words in turn without any lock, `times` each, every thread beginning with the next word. */
export const racyProgram =
  (times: number, variables: number): Program =>
  () => {
    const words = Array.from({ length: variables }, (_, i) => new Register(`x${i}`));
    const thread = (first: number): Op<void> => count(words, first, times);
    return { threads: { first: thread(0), second: thread(1), third: thread(2) } };
  };

function* count(words: readonly Register[], first: number, times: number): Op<void> {
  for (let i = 0; i < times; i++) {
    const word = words[(first + i) % words.length];
    yield word.loading;
    const { value } = word;
    yield word.storing;
    word.value = value + 1;
  }
}

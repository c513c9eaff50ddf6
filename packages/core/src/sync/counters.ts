/**
 * Where a class names its fields that only count, measure or trace what happened: no operation decides by them. Whoever asks
 * whether two steps depend on each other, or whether two states differ, may leave them out.
 */
export const COUNTERS = Symbol('fields that only count');

/** Where a class names its fields that are the state of a lock: who takes it and gives it up is told to the watch. */
export const LOCK_WORDS = Symbol('fields that are a lock');

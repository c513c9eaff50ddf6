import type { RmapStrategy } from './contract.js';

/** Names an object as a strategy, so that its type is checked where it is written. */
export const defineStrategy = (strategy: RmapStrategy): RmapStrategy => strategy;

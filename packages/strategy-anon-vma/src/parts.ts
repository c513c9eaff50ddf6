/** What a design that builds on this one takes from it. */
export { adjust } from './adjust.js';
export { type AnonVma, FOREIGN, isAnonVma } from './anon-vma.js';
export { type AnonVmaChain, VmaFields } from './anon-vma-chain.js';
export { clone, cloneChain } from './clone.js';
export { fork } from './fork.js';
export { inspect } from './inspect.js';
export { holdFolio, holdVma, pinOf, release } from './lock.js';
export { canMerge } from './merge-rule.js';
export { needsRmapLock } from './move.js';
export { prepare } from './prepare.js';
export { State } from './state.js';
export { unlink } from './unlink.js';
export { walk } from './walk.js';

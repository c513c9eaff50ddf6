export * from './rmap/contract.js';
export * from './sync/op.js';
export * from './units.js';

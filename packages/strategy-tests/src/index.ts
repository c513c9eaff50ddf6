export { allocationSweep } from './allocation-sweep.js';
export { concurrentOperations } from './concurrent-operations.js';
export { programs } from './programs.js';
export { randomPrograms } from './random-programs.js';
export { scheduler } from './scheduler.js';
export type { Subject } from './subject.js';

import { growth, structureGrowth } from '../growth.js';
import { firstTouch } from './fault.js';
import { forkPte } from './fork.js';
import { mmapMunmap } from './system-calls.js';
import { insert, lookup } from './vma-tree.js';
import { walk } from './walk.js';

const vmas = { of: 'VMAs', sizes: [1000, 10_000, 100_000], quickSizes: [100, 1000] };
const pages = { of: 'pages', sizes: [10_000, 100_000, 1_000_000, 10_000_000], quickSizes: [1000, 10_000] };
const sharers = { of: 'sharers', sizes: [10, 100, 1000, 10_000], quickSizes: [10, 100] };

export const growthRows = [
  growth({ ...vmas, id: 'growth.mmap-munmap', setup: mmapMunmap }),
  growth({ ...pages, id: 'growth.fault', setup: firstTouch }),
  growth({ ...pages, id: 'growth.fork-pte', setup: forkPte }),
  growth({ ...sharers, id: 'growth.walk', setup: walk }),
];

export const structureGrowthRows = [
  structureGrowth({ ...vmas, id: 'growth.vma-insert', setup: insert }),
  structureGrowth({ ...vmas, id: 'growth.vma-lookup', setup: lookup }),
];

import { programCases } from '../program-case.js';
import { families, walkers } from './kernel-tests/families.js';
import { largeFolios } from './kernel-tests/large-folios.js';
import { file, forked, merges, single } from './kernel-tests/merges.js';
import { guards, moves } from './kernel-tests/moves.js';

/** Situations of the kernel's own tests that the other files have no case of. Their assertions are about ranges and contents; ours about walks. */
export const kernelTests = [
  ...programCases('one-address-space', [...merges, ...forked, ...single, ...moves, ...guards, file]),
  ...programCases('families', families),
  ...programCases('large-folios', largeFolios),
  ...programCases('walkers', walkers),
];

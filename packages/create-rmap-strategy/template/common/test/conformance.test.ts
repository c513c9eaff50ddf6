import { conformance } from '@rmap-lab/conformance-suite/vitest';
import { myStrategy } from '../src/index.js';

/**
 * One test for each case of the suite, named by the rule that it is about. While you work on one hook, run the cases of one level or one
 * name: `{ levels: ['families'] }`, `{ grep: 'families/fork' }`. A strategy conforms when no must-case fails.
 */
conformance(myStrategy());

import type { Operation } from '@rmap-lab/core';
import type { ProgramCase } from '../../program-case.js';

type Situation = readonly [name: string, rule: ProgramCase['rule'], title: string, program: readonly Operation[]];
/** Situations of one test file of the kernel. */
export const from = (file: string, rest: Partial<ProgramCase>, situations: readonly Situation[]): ProgramCase[] =>
  situations.map(([name, rule, title, program]) => ({ name, rule, title, why: `situation of ${file}`, program, ...rest }));

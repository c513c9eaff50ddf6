import { runConformance } from '@rmap-lab/conformance-suite';
import { explore, kernelProgram, scenarioNamed } from '@rmap-lab/explorer';
import { expect, it } from 'vitest';
import { mutantNamed, strategyOf } from '../src/index.js';

it('the suite kills a sequential mutant', () => {
  const { conforms } = runConformance(strategyOf(mutantNamed('ea90002b0fa7')), { grep: 'walkers/swap-in' });
  expect(conforms).toBe(false);
});

it('the explorer kills a concurrent mutant', () => {
  const program = kernelProgram(scenarioNamed('move-and-back-x-split'), { strategy: strategyOf(mutantNamed('108d6642ad81')) });
  expect(explore(program, { engine: 'bounded', preemptions: 2 }).failure?.rule).toBe('R17');
});

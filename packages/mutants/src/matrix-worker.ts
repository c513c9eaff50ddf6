/** Runs cases of the suite on mutants, as standard input says; `matrix.ts` reads a line for each case. */
import { createInterface } from 'node:readline';
import { cases, runCase } from '@rmap-lab/conformance-suite';
import { mutantNamed } from './mutants.js';
import { strategyOf } from './strategy-of.js';

/** What is asked: these cases, on this mutant. */
export interface Task {
  readonly mutant: string;
  readonly ids: readonly string[];
}

/** What is answered for each of them: how it ended, and the processor time since the task came, in seconds. */
export type Answer = readonly [outcome: string, seconds: number];

for await (const text of createInterface({ input: process.stdin })) {
  const { mutant, ids } = JSON.parse(text) as Task;
  const began = process.cpuUsage();
  const strategy = strategyOf(mutantNamed(mutant));
  const unbroken = strategyOf({ ...mutantNamed(mutant), patches: [] });
  const chosen = new Set(ids);
  for (const each of cases.filter(({ id }) => chosen.has(id))) {
    const { outcome } = runCase(each, strategy);
    // What a design fails by itself kills no mutant of it.
    const ownFault = outcome === 'failed' && runCase(each, unbroken).outcome === 'failed';
    const { user, system } = process.cpuUsage(began);
    const answer: Answer = [ownFault ? 'failed without the mutant' : outcome, (user + system) / 1e6];
    // A pipe is written to at once, so that whoever reads knows which case hangs.
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
}

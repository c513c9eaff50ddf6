import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import type { RmapStrategy } from '@rmap-lab/core';
import { type Engine, explore, kernelProgram, scenarios } from '@rmap-lab/explorer';

/** What is known of one scenario under one strategy: a line of a campaign's file. */
export interface Result {
  readonly scenario: string;
  readonly strategy: string;
  /** The engine that got furthest. */
  readonly engine: Engine;
  readonly exhausted: boolean;
  readonly bound: string;
  readonly schedules: number;
  readonly seconds: number;
  /** The rule that is broken, if any. */
  readonly rule: string | null;
}

/** Tried in turn until one leaves nothing out. */
const ENGINES: readonly Engine[] = ['dpor', 'state', 'bounded'];

/** A file of results, of which each is on the disk as soon as it is known. */
export class Campaign {
  readonly results: Result[];

  constructor(private readonly file: string) {
    const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
    // A last line that was torn is searched again.
    this.results = text
      .slice(0, text.lastIndexOf('\n') + 1)
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Result);
  }

  /** Explores every scenario under `strategy`, each engine for so many seconds; what the file has is not explored again. */
  run(name: string, strategy: RmapStrategy, seconds: number, onResult: (result: Result) => void): void {
    const known = new Set(this.results.filter((result) => result.strategy === name).map(({ scenario }) => scenario));
    for (const scenario of scenarios.filter((one) => !known.has(one.name))) {
      const program = kernelProgram(scenario, { strategy });
      let result: Result | null = null;
      for (const engine of ENGINES) {
        const { exhausted, bound, schedules, seconds: took, failure } = explore(program, { engine, maxSeconds: seconds });
        const rule = failure?.rule ?? null;
        result = { scenario: scenario.name, strategy: name, engine, exhausted, bound, schedules, seconds: took, rule };
        if (exhausted || rule !== null) break;
      }
      if (result === null) continue;
      this.results.push(result);
      appendFileSync(this.file, `${JSON.stringify(result)}\n`);
      onResult(result);
    }
  }
}

/** How much of all scenarios is known under a strategy, in a line of words. */
export function summary(results: readonly Result[], strategy: string): string {
  const own = results.filter((result) => result.strategy === strategy);
  const exhausted = (engine: Engine): number => own.filter((result) => result.exhausted && result.engine === engine).length;
  const broken = own.filter(({ rule }) => rule !== null);
  const rest = own.filter((result) => !result.exhausted && result.rule === null);
  return [
    `${strategy}: of ${own.length}, every interleaving of ${exhausted('dpor') + exhausted('state')}`,
    ` (${exhausted('dpor')} by source-DPOR, ${exhausted('state')} by states), ${broken.length} broken, ${rest.length} not to the end`,
    ...broken.map(({ scenario, rule }) => `\n  ${scenario} breaks ${rule}`),
    ...rest.map(({ scenario, bound }) => `\n  ${scenario}: ${bound}`),
  ].join('');
}

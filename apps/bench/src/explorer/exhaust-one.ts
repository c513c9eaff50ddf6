import { type Engine, explore, kernelProgram, scenarioNamed } from '@rmap-lab/explorer';
import { strategiesNamed } from '../strategies.js';

/** A scenario under a strategy, both by name, and the seconds that each engine has. */
export interface Pair {
  readonly scenario: string;
  readonly strategy: string;
  readonly seconds: number;
}

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
  /** Seconds that each engine had. */
  readonly budget: number;
  /** The rule that is broken, if any. */
  readonly rule: string | null;
}

/** Tried in turn until one leaves nothing out. */
const ENGINES: readonly Engine[] = ['dpor', 'state', 'bounded'];

/** Explores one scenario, in a worker. @throws StrategyLoadError, UnknownScenario */
export default async function exhaustOne({ scenario, strategy: name, seconds }: Pair): Promise<Result> {
  const [strategy] = (await strategiesNamed([name])).values();
  const program = kernelProgram(scenarioNamed(scenario), { strategy });
  for (let i = 0; ; i++) {
    const engine = ENGINES[i];
    const { exhausted, bound, schedules, seconds: took, failure } = explore(program, { engine, maxSeconds: seconds });
    const rule = failure?.rule ?? null;
    if (exhausted || rule !== null || i === ENGINES.length - 1)
      return { scenario, strategy: name, engine, exhausted, bound, schedules, seconds: took, budget: seconds, rule };
  }
}

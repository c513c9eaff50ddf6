import type { RmapStrategy } from '@rmap-lab/core';
import { randomProgram } from './generate.js';
import { type Difference, Judge, type Question } from './judge.js';
import { KNOWN_DIFFERENCES, type KnownDifference } from './known-differences.js';
import type { Oracle } from './oracle.js';
import { Random } from './random.js';
import { type OracleReport, Tally } from './report.js';
import { shrink } from './shrink.js';

/** How much to compare. */
export interface CampaignOptions {
  /** Makes the reverse map of the model: the one that Linux has. */
  readonly strategy: () => RmapStrategy;
  readonly operations: number;
  /** The same seed makes the same programs. */
  readonly seed: number;
  /** Called after each program with the operations done so far. */
  readonly onProgress?: (operations: number) => void;
  /** Ends the campaign before its time. */
  readonly signal?: AbortSignal;
  /** Differences that are counted and not reported. */
  readonly known?: readonly KnownDifference[];
}

/** Differences after which it is time to mend something. */
const ENOUGH = 5;
/** Operations of one flavour before it is another's turn. */
const TURN = 2000;

/** Runs random programs of all flavours by turns until enough operations are compared. @throws CannotObserve */
export async function campaign(oracle: Oracle, options: CampaignOptions): Promise<OracleReport> {
  const { strategy, operations, seed, onProgress, signal, known = KNOWN_DIFFERENCES } = options;
  const random = new Random(seed);
  const { flavours } = oracle.tier;
  const tally = new Tally();
  const goesOn = (): boolean => tally.differences.length < ENOUGH && !signal?.aborted;
  let planned = 0;
  while (planned < operations && goesOn()) {
    const flavour = random.pick(flavours);
    const judge = new Judge(oracle.driver, strategy, flavour.settings);
    const stop = Math.min(planned + TURN, operations);
    const next = (): Question | null => {
      if (planned >= stop || !goesOn()) return null;
      const program = randomProgram(random, flavour, Math.min(flavour.length, operations - planned));
      planned += program.length;
      return judge.prepare(program, flavour.block);
    };
    await oracle.system.with(flavour.settings, async () => {
      for (let question = next(); question !== null; ) {
        const answers = judge.ask(question);
        const following = next(); // the model goes on while the kernel works
        const verdict = await judge.verdict(question, answers);
        tally.add(question.program, verdict);
        if (verdict.difference !== null) {
          const difference = await shortest(judge, verdict.difference, signal);
          if (known.some((each) => each.matches(difference))) tally.known++;
          else tally.differences.push(difference);
        }
        onProgress?.(tally.operations);
        question = goesOn() ? following : null;
      }
    });
  }
  return tally.report({ judge: 'this kernel', seed, ...oracle.tier.seen, notes: [], partial: signal?.aborted ?? false });
}

/** The same difference, or another one, by the shortest program that shows it: as short as it was when `signal` came. */
async function shortest(judge: Judge, difference: Difference, signal?: AbortSignal): Promise<Difference> {
  const program = await shrink(difference.program, async (rest) => (signal?.aborted ? null : judge.differsAt(rest)));
  return (await judge.compare(program, 1)).difference ?? difference;
}

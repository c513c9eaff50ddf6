import type { Operation, RmapStrategy } from '@rmap-lab/core';
import { availableFlavours, type Flavour } from './flavours.js';
import { randomProgram } from './generate.js';
import { type Difference, Judge } from './judge.js';
import type { Oracle } from './oracle.js';
import { Random } from './random.js';
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
}

/** What a campaign gave. */
export interface CampaignReport {
  readonly seed: number;
  readonly operations: number;
  /** Looks at everything of all processes. */
  readonly observations: number;
  /** Shrunk; at most a few, then the campaign ends. */
  readonly differences: readonly Difference[];
  /** Operations by kind. */
  readonly byKind: Readonly<Record<string, number>>;
  readonly seconds: number;
}

/** Differences after which it is time to mend something. */
const ENOUGH = 5;
/** Operations of one flavour before it is another's turn. */
const TURN = 2000;

/** Runs random programs of all flavours by turns until enough operations are compared. @throws CannotObserve */
export async function campaign(oracle: Oracle, options: CampaignOptions): Promise<CampaignReport> {
  const { strategy, operations, seed, onProgress, signal } = options;
  const random = new Random(seed);
  const flavours = availableFlavours();
  const byKind: Record<string, number> = {};
  const differences: Difference[] = [];
  const start = performance.now();
  let [done, observations] = [0, 0];
  const goesOn = (): boolean => done < operations && differences.length < ENOUGH && !signal?.aborted;
  while (goesOn()) {
    const flavour: Flavour = random.pick(flavours);
    const judge = new Judge(oracle.driver, strategy, flavour.settings);
    const stop = done + TURN;
    await oracle.system.with(flavour.settings, async () => {
      while (goesOn() && done < stop) {
        const program = randomProgram(random, flavour, Math.min(flavour.length, operations - done));
        const verdict = await judge.compare(program, flavour.block);
        done += verdict.operations;
        observations += verdict.observations;
        for (const { op } of program) byKind[op] = (byKind[op] ?? 0) + 1;
        if (verdict.difference !== null) differences.push(await shortest(judge, verdict.difference));
        onProgress?.(done);
      }
    });
  }
  return { seed, operations: done, observations, differences, byKind, seconds: (performance.now() - start) / 1000 };
}

/** The same difference, or another one, by the shortest program that shows it. */
async function shortest(judge: Judge, difference: Difference): Promise<Difference> {
  const program: readonly Operation[] = await shrink(difference.program, (rest) => judge.differsAt(rest));
  return (await judge.compare(program, 1)).difference ?? difference;
}

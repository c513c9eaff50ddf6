import type { Operation, RmapStrategy } from '@rmap-lab/core';
import type { Driver } from './driver.js';
import { PLAIN, Random, randomProgram } from './generate.js';
import { type Difference, Judge } from './judge.js';
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
const PROGRAM_LENGTH = 200;
/** Operations from one look to the next. */
const BLOCK = 8;

/** Runs random programs until enough operations are compared. @throws CannotObserve */
export async function campaign(driver: Driver, options: CampaignOptions): Promise<CampaignReport> {
  const { strategy, operations, seed, onProgress, signal } = options;
  const random = new Random(seed);
  const judge = new Judge(driver, strategy);
  const byKind: Record<string, number> = {};
  const differences: Difference[] = [];
  const start = performance.now();
  let [done, observations] = [0, 0];
  while (done < operations && differences.length < ENOUGH && !signal?.aborted) {
    const program = randomProgram(random, Math.min(PROGRAM_LENGTH, operations - done), PLAIN);
    const verdict = await judge.compare(program, BLOCK);
    done += verdict.operations;
    observations += verdict.observations;
    for (const { op } of program) byKind[op] = (byKind[op] ?? 0) + 1;
    if (verdict.difference !== null) differences.push(await shortest(judge, verdict.difference));
    onProgress?.(done);
  }
  return { seed, operations: done, observations, differences, byKind, seconds: (performance.now() - start) / 1000 };
}

/** The same difference, or another one, by the shortest program that shows it. */
async function shortest(judge: Judge, difference: Difference): Promise<Difference> {
  const program: readonly Operation[] = await shrink(difference.program, (rest) => judge.differsAt(rest));
  return (await judge.compare(program, 1)).difference ?? difference;
}

import { setImmediate } from 'node:timers/promises';
import { type ExploreOptions, exploring, type Verdict } from './explore.js';
import type { Program } from './program.js';

/** Milliseconds until others have their turn. */
const TURN = 50;

/** Explores as `explore` does, and lets others have their turn now and then, so that its signal can be heard; `onTurn` is called then. @throws as `explore` does */
export async function exploreInTurns(
  program: Program,
  options: ExploreOptions = {},
  onTurn: () => void = () => {},
): Promise<Verdict> {
  const exploration = exploring(program, options);
  for (let began = performance.now(); ; ) {
    const { done, value } = exploration.next();
    if (done) return value;
    if (performance.now() - began < TURN) continue;
    onTurn();
    await setImmediate();
    began = performance.now();
  }
}

import type { Difference } from './judge.js';
import type { SavedProgram } from './saved-program.js';

/** A difference between kernel and model that is understood and accepted. */
export interface KnownDifference {
  readonly name: string;
  /** Why the model does otherwise, and which function of the kernel it is about. */
  readonly reason: string;
  /** A program that shows it; the tests fail when it does so no more. */
  readonly example: SavedProgram;
  /** Whether a shrunk difference is this one. */
  matches(difference: Difference): boolean;
}

/** All of them: none now. What is not in here is to be mended. */
export const KNOWN_DIFFERENCES: readonly KnownDifference[] = [];

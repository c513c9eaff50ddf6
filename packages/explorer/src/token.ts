import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Program } from './program.js';
import { type Recording, record } from './recording.js';

/** A failing schedule in a form that can be sent around: where it happened, and every step with its name. */
export interface Token {
  readonly scenario: string;
  readonly strategy: string;
  /** The rule that was broken. */
  readonly rule: string;
  /** The thread that made each step, by number. */
  readonly choices: readonly number[];
  /** What each step was. */
  readonly steps: readonly string[];
}

/** A text that is no token of this version. */
export class BadToken extends Error {
  override readonly name = 'BadToken';
}

const PREFIX = 'rx1.';

/** `rx1.` and the packed schedule, in characters that need no quoting. */
export function encodeToken({ scenario, strategy, rule, choices, steps }: Token): string {
  const labels = [...new Set(steps)];
  const numbers = new Map(labels.map((label, i) => [label, i]));
  const packed = JSON.stringify([scenario, strategy, rule, labels, choices.map((thread, i) => [thread, numbers.get(steps[i])])]);
  return PREFIX + deflateRawSync(packed).toString('base64url');
}

/** The schedule of a token. @throws BadToken */
export function decodeToken(text: string): Token {
  if (!text.startsWith(PREFIX)) throw new BadToken(`a token starts with '${PREFIX}'; this is '${text.slice(0, 12)}'`);
  try {
    const packed = inflateRawSync(Buffer.from(text.slice(PREFIX.length), 'base64url'), { maxOutputLength: 2 ** 24 }).toString();
    const [scenario, strategy, rule, labels, pairs] = JSON.parse(packed) as [
      string,
      string,
      string,
      string[],
      [number, number][],
    ];
    const steps = pairs.map(([, label]) => labels[label]);
    if (steps.some((step) => typeof step !== 'string')) throw new Error('a step without a name');
    return { scenario, strategy, rule, choices: pairs.map(([thread]) => thread), steps };
  } catch (error) {
    throw new BadToken(`the token is damaged or cut off (${(error as Error).message})`);
  }
}

/** Runs a token's schedule again. @throws Diverged when the program does something else at some step */
export const replay = (program: Program, { choices, steps }: Token): Recording => record(program, choices, steps);

import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { describe, type Failure } from './explore.js';
import type { LockEdge } from './lock-edges.js';
import type { Program } from './program.js';
import { type Recording, record } from './recording.js';

/** A failing schedule in a form that can be sent around: where it happened, and every step with its name. */
export interface Token {
  readonly scenario: string;
  /** Operations of the scenario that are left out, by number. */
  readonly dropped: readonly number[];
  readonly strategy: string;
  /** The rule that was broken. */
  readonly rule: string;
  /** The thread that made each step, by number. */
  readonly choices: readonly number[];
  /** What each step was. */
  readonly steps: readonly string[];
  /** Where it ends, that is right by itself: locks that another schedule takes the other way round. */
  readonly sought?: LockEdge | null;
}

/** A text that is no token of this version. */
export class BadToken extends Error {
  override readonly name = 'BadToken';
}

const PREFIX = 'rx1.';

/** `rx1.` and the packed schedule, in characters that need no quoting. */
export function encodeToken({ scenario, dropped, strategy, rule, choices, steps, sought }: Token): string {
  const labels = [...new Set(steps)];
  const numbers = new Map(labels.map((label, i) => [label, i]));
  const pairs = choices.map((thread, i) => [thread, numbers.get(steps[i])]);
  const packed = JSON.stringify([
    scenario,
    strategy,
    rule,
    labels,
    pairs,
    dropped,
    ...(sought ? [[sought.held, sought.next]] : []),
  ]);
  return PREFIX + deflateRawSync(packed).toString('base64url');
}

/** The schedule of a token. @throws BadToken */
export function decodeToken(text: string): Token {
  if (!text.startsWith(PREFIX)) throw new BadToken(`a token starts with '${PREFIX}'; this is '${text.slice(0, 12)}'`);
  try {
    const packed = inflateRawSync(Buffer.from(text.slice(PREFIX.length), 'base64url'), { maxOutputLength: 2 ** 24 }).toString();
    const [scenario, strategy, rule, labels, pairs, dropped = [], sought] = JSON.parse(packed) as [
      string,
      string,
      string,
      string[],
      [number, number][],
      number[]?,
      [string, string]?,
    ];
    const steps = pairs.map(([, label]) => labels[label]);
    if (steps.some((step) => typeof step !== 'string')) throw new Error('a step without a name');
    const choices = pairs.map(([thread]) => thread);
    return { scenario, dropped, strategy, rule, choices, steps, ...(sought && { sought: { held: sought[0], next: sought[1] } }) };
  } catch (error) {
    throw new BadToken(`the token is damaged or cut off (${(error as Error).message})`);
  }
}

/** Runs a token's schedule again, in the program of its whole scenario. @throws Diverged when that does something else at some step */
export function replay(program: Program, { dropped, choices, steps, sought }: Token): Recording {
  return seeking(program, sought, () => record(shrunk(program, dropped), choices, steps));
}

/** The failure of a token, told like one that was just found; null: nothing is broken any more. @throws Diverged */
export function failureOf(program: Program, token: Token): Failure | null {
  const { dropped, choices, sought = null } = token;
  return seeking(program, sought, () => {
    const { error } = replay(program, token);
    return error && { ...describe({ program: shrunk(program, dropped), dropped, choices, error }), sought };
  });
}

const seeking = <T>(program: Program, sought: LockEdge | null | undefined, run: () => T): T =>
  sought && program.edges ? program.edges.seeking(sought, run) : run();

const shrunk = (program: Program, dropped: readonly number[]): Program =>
  dropped.length === 0 ? program : (program.without?.(new Set(dropped)) ?? program);

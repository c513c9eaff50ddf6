import { deflateSync, inflateRawSync, inflateSync } from 'node:zlib';
import { InputError } from '@rmap-lab/core';
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
export class BadToken extends InputError {
  override readonly name = 'BadToken';
}

/** How tokens begin, with a checksum, and how they once did, without one. */
const PREFIX = 'rx2.';
const OLD_PREFIX = 'rx1.';

/** What is packed: of each step who makes it, and the number of its label. */
type Packed = readonly [
  scenario: string,
  strategy: string,
  rule: string,
  labels: readonly string[],
  steps: readonly (readonly [thread: number, label: number])[],
  dropped?: readonly number[],
  sought?: readonly [held: string, next: string],
];

/** `rx2.` and the packed schedule, in characters that need no quoting. */
export function encodeToken({ scenario, dropped, strategy, rule, choices, steps, sought }: Token): string {
  const labels = [...new Set(steps)];
  const pairs = choices.map((thread, i) => [thread, labels.indexOf(steps[i])] as const);
  const packed: Packed = [scenario, strategy, rule, labels, pairs, dropped];
  const all = sought ? [...packed, [sought.held, sought.next]] : packed;
  return PREFIX + deflateSync(JSON.stringify(all)).toString('base64url');
}

/** The schedule of a token. @throws BadToken */
export function decodeToken(text: string): Token {
  const old = text.startsWith(OLD_PREFIX);
  if (!old && !text.startsWith(PREFIX)) throw new BadToken(`a token starts with '${PREFIX}'; this is '${text.slice(0, 12)}'`);
  try {
    const bytes = Buffer.from(text.slice(PREFIX.length), 'base64url');
    const packed: unknown = JSON.parse((old ? inflateRawSync : inflateSync)(bytes, { maxOutputLength: 2 ** 24 }).toString());
    if (!isPacked(packed)) throw new Error('it holds no schedule');
    const [scenario, strategy, rule, labels, steps, dropped = [], sought] = packed;
    return {
      scenario,
      dropped,
      strategy,
      rule,
      choices: steps.map(([thread]) => thread),
      steps: steps.map(([, label]) => labels[label]),
      ...(sought && { sought: { held: sought[0], next: sought[1] } }),
    };
  } catch (error) {
    throw new BadToken(`the token is damaged or cut off (${(error as Error).message})`);
  }
}

function isPacked(value: unknown): value is Packed {
  if (!Array.isArray(value)) return false;
  const [scenario, strategy, rule, labels, steps, dropped = [], sought = ['', '']] = value as unknown[];
  const isStep = (step: unknown): boolean => areAll(step, isNumber, 2) && (step as number[])[1] < (labels as string[]).length;
  return (
    areAll([scenario, strategy, rule], isText) &&
    areAll(labels, isText) &&
    areAll(steps, isStep) &&
    areAll(dropped, isNumber) &&
    areAll(sought, isText, 2)
  );
}

const isText = (value: unknown): boolean => typeof value === 'string';
const isNumber = (value: unknown): boolean => Number.isInteger(value) && (value as number) >= 0;

/** Whether `values` is a list of such, with `length` of them where that is given. */
const areAll = (values: unknown, is: (value: unknown) => boolean, length?: number): boolean =>
  Array.isArray(values) && values.every(is) && values.length === (length ?? values.length);

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

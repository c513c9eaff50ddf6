import { type ChildProcess, fork } from 'node:child_process';
import { InputError, messageOf } from '@rmap-lab/core';
import { answerOf } from '@rmap-lab/plumbing';
import { exitCode } from './exit-codes.js';
import { isOutside } from './load-strategy.js';

/** What a process that runs apart tells the one that started it. */
type Message =
  | { readonly kind: 'alive'; readonly doing: Doing | null }
  | { readonly kind: 'print'; readonly text: string }
  | { readonly kind: 'end'; readonly status: number };

/** A strategy from outside may say anything. */
function isMessage(said: unknown): said is Message {
  const { kind, doing, text, status } = Object(said) as Record<string, unknown>;
  if (kind === 'print') return typeof text === 'string';
  if (kind === 'end') return Number.isInteger(status);
  const { strategy, what } = Object(doing) as Record<string, unknown>;
  return kind === 'alive' && (doing === null || (typeof strategy === 'string' && typeof what === 'string'));
}

/** Whose turn it is, and at what. */
interface Doing {
  readonly strategy: string;
  readonly what: string;
}

/** Says in a process's environment that it was started to run a strategy apart. */
const APART = 'RMAP_LAB_APART';
/** Longest silence of a process that runs apart, in seconds. */
const { RMAP_LAB_PATIENCE = '60' } = process.env;

/** A strategy from outside hangs, or ended the process it ran in. */
export class StrategyMisbehaves extends InputError {
  override readonly name = 'StrategyMisbehaves';
}

/** `RMAP_LAB_PATIENCE` is no time. */
class BadPatience extends InputError {
  override readonly name = 'BadPatience';
}

/** @throws BadPatience */
function patience(): number {
  const seconds = Number(RMAP_LAB_PATIENCE);
  if (seconds > 0) return seconds;
  throw new BadPatience(`RMAP_LAB_PATIENCE must be a number of seconds above 0, not '${RMAP_LAB_PATIENCE}'`);
}

const isApart = process.env[APART] === '1' && process.send !== undefined;
const tell = (message: Message): void => void process.send?.(message);

/** Prints a result. What runs apart hands it over, as its standard output may have anything in it. */
export function print(text: string): void {
  if (isApart) tell({ kind: 'print', text });
  else process.stdout.write(text);
}

let told = 0;
/** Says now and then that the strategy came back from its hooks. */
export function alive(): void {
  if (!isApart || performance.now() - told < 1000) return;
  told = performance.now();
  tell({ kind: 'alive', doing: null });
}

let doingNow: Doing | null = null;
/** Says whose turn it is. */
export function announce(strategy: string, what: string): void {
  doingNow = { strategy, what };
  if (isApart) tell({ kind: 'alive', doing: doingNow });
}

/** In words, what a strategy from outside threw here, with the place in its code; null: what was thrown is no such strategy's. */
export function blamed(thrown: unknown): string | null {
  if (!isApart || doingNow === null) return null;
  const { strategy, what } = doingNow;
  const place = thrown instanceof Error ? thrown.stack : undefined;
  return `strategy '${strategy}' threw ${what}: ${typeof place === 'string' ? place : messageOf(thrown)}`;
}

/** The last word of a process that runs apart. */
export function announceEnd(): void {
  if (isApart) tell({ kind: 'end', status: Number(process.exitCode ?? 0) });
}

/**
 * Runs a command that loads `strategies`. When one of them is from outside, the same command line runs in a process of its own,
 * which is ended when it is silent for too long. @throws StrategyMisbehaves naming the strategy
 */
export function apart(strategies: readonly string[], run: () => Promise<number>): Promise<number> {
  const outside = strategies.filter(isOutside);
  if (isApart || outside.length === 0) return run();
  return runAgain(process.argv.slice(2), outside[0], { output: 2, onPrint: (text) => process.stdout.write(text) });
}

/** Runs this program with other arguments in a process of its own; its exit status. @throws StrategyMisbehaves */
export async function runAgain(
  args: readonly string[],
  first: string,
  { output, onPrint, seconds = patience() }: { output: 2 | 'ignore'; onPrint: (text: string) => void; seconds?: number },
): Promise<number> {
  const child = fork(process.argv[1], args, {
    // A session of its own: an interrupt from the terminal reaches it once, through us.
    detached: true,
    stdio: ['ignore', output, output, 'ipc'],
    env: { ...process.env, [APART]: '1' },
  });
  add(child);
  let doing: Doing = { strategy: first, what: 'while it was loaded' };
  const misbehaves = (how: string): Error => new StrategyMisbehaves(`strategy '${doing.strategy}' ${how} ${doing.what}`);
  try {
    return await answerOf<unknown, number>(child, {
      hear: (message) => {
        if (!isMessage(message)) throw misbehaves('sent something that is no result');
        if (message.kind === 'end') return message.status;
        if (message.kind === 'print') onPrint(message.text);
        else doing = message.doing ?? doing;
        return undefined;
      },
      ended: (how) => misbehaves(`ended the program (${how})`),
      patience: { seconds, lost: () => misbehaves(`did not come back for ${seconds} s`) },
    });
  } finally {
    end(child);
  }
}

const running = new Set<ChildProcess>();
let interrupts = 0;

/** The first interrupt is for the children to answer; a second one is the end. */
function interrupt(): void {
  if (++interrupts > 1) process.exit(exitCode.interrupted);
  for (const child of running) child.kill('SIGINT');
}

/** Passes interrupts on to a child from now on. */
function add(child: ChildProcess): void {
  running.add(child);
  if (running.size > 1) return;
  process.on('SIGINT', interrupt);
}

function end(child: ChildProcess): void {
  running.delete(child);
  if (running.size > 0) return;
  process.removeListener('SIGINT', interrupt);
}

import { dependent } from './access.js';
import { Execution } from './execution.js';
import { History } from './history.js';
import { Numbers } from './numbers.js';
import type { Program } from './program.js';
import { finished, isOver, type Search, type Searching, type SearchOptions, startSearch } from './search.js';

interface Frame {
  /** Threads as bits: who could go on, who is to be tried, who need not be tried (again). */
  enabled: number;
  backtrack: number;
  sleep: number;
  chosen: number;
  /** What it did. */
  label: string;
  /** By sleeping thread: what its next step touches. */
  readonly asleep: (readonly number[])[];
  /** By waiting thread, where that is traced: what it looked at to find that it can't go on. */
  readonly looks: (readonly number[] | undefined)[];
}

/** A thread that waited looked at this just before a step stored some of it. */
interface Missed {
  readonly step: number;
  readonly look: readonly number[];
}

const lowest = (mask: number): number => 31 - Math.clz32(mask & -mask);

/**
 * Source-DPOR with sleep sets (Abdulla, Aronis, Jonsson and Sagonas, POPL 2014): of all schedules that differ in the order of
 * independent steps only, runs one (or hardly more), by re-execution.
 */
export function dpor(program: Program, options: SearchOptions = {}): Search {
  return finished(dporSteps(program, options));
}

/** The same, with pauses. */
export function* dporSteps(program: Program, options: SearchOptions = {}): Searching<Search> {
  const search = startSearch('dpor');
  const numbers = new Numbers();
  const frames: Frame[] = [];
  const missed: Missed[] = [];
  let run = new Execution(program, numbers, 'traced');
  const history = new History(run.names.length);
  let traced = run.retrace();
  /** Frames that are known; those behind them are to be made. */
  let known = 0;

  const frameAt = (depth: number): Frame => {
    frames[depth] ??= { enabled: 0, backtrack: 0, sleep: 0, chosen: 0, label: '', asleep: [], looks: [] };
    return frames[depth];
  };
  frameAt(0).sleep = 0;

  for (;;) {
    let complete = true;
    for (let depth = history.length; ; depth++) {
      const frame = frameAt(depth);
      if (depth >= known) {
        frame.enabled = run.enabled();
        if (frame.enabled === 0) break;
        if (run.traced) lookAround(run, history, frame, frames[depth - 1]);
        const awake = frame.enabled & ~frame.sleep;
        if (awake === 0) {
          complete = false;
          break;
        }
        const same = depth > 0 ? 1 << frames[depth - 1].chosen : 0;
        frame.chosen = (awake & same) !== 0 ? frames[depth - 1].chosen : lowest(awake);
        frame.backtrack = 1 << frame.chosen;
      }
      frame.label = run.label(frame.chosen);
      run.step(frame.chosen);
      history.push(frame.chosen, run.touched);
      search.steps++;
      for (const race of history.races) reverse(history, frames, race, depth);
      for (const { step, look } of missed)
        if (!history.before(step, depth) && dependent(look, run.touched)) reverse(history, frames, step, depth);
      for (const look of frame.looks) if (look !== undefined && dependent(look, run.touched)) missed.push({ step: depth, look });
      fallAsleep(frame, frameAt(depth + 1), run.touched);
    }
    const enabled = run.enabled();
    for (let thread = 0; thread < run.pending.length; thread++) {
      if (run.pending[thread] === null || (enabled & (1 << thread)) !== 0) continue;
      // Whoever waits to the end would have raced with those who made him wait.
      history.push(thread, run.awaited(thread));
      for (const race of history.races) reverse(history, frames, race, history.length - 1, run.traced);
      history.pop();
    }
    if (complete) {
      search.schedules++;
      const failure = run.finish();
      options.onTrace?.(history, run);
      if (failure !== null) {
        search.failures++;
        search.failure ??= { error: failure, choices: frames.slice(0, history.length).map((frame) => frame.chosen) };
        if (!options.keepGoing) return search;
      }
    } else search.blocked++;
    const before = traced;
    traced = run.retrace();
    if (traced !== before) {
      while (history.length > 0) history.pop();
      missed.length = 0;
      frameAt(0).sleep = 0;
      known = 0;
    } else if (backtrack(history, frames)) {
      known = history.length + 1;
      while (missed.length > 0 && missed[missed.length - 1].step >= history.length) missed.pop();
    } else {
      search.exhausted = true;
      return search;
    }
    yield;
    if (isOver(search, options)) return search;
    run = new Execution(program, numbers, 'traced');
    for (let i = 0; i < history.length; i++) run.again(frames[i].chosen, frames[i].label, 0);
  }
}

/**
 * What those look at who wait. Where a step stores some of it, others that they look at may have been stored before it as well, by
 * whoever was not in a race with anybody, and then they could have gone on.
 */
function lookAround(run: Execution, history: History, frame: Frame, before: Frame | undefined): void {
  for (let thread = 0; thread < run.pending.length; thread++) {
    const waits = run.pending[thread] !== null && (frame.enabled & (1 << thread)) === 0;
    const known = waits ? before?.looks[thread] : undefined;
    const same = known !== undefined && !dependent(known, history.touched[history.length - 1]);
    frame.looks[thread] = !waits ? undefined : same ? known : run.awaited(thread);
  }
}

/** Makes sure that some schedule is tried in which `event` comes before `race`. @param waits it can't be made, so what else it touches is not known */
function reverse(history: History, frames: readonly Frame[], race: number, event: number, waits = false): void {
  const frame = frames[race];
  // Threads that can come first in: what did not need `race`, then `event`. By thread, its first event there.
  const first = new Array<number>(history.threads).fill(-1);
  let initials = 0;
  for (let k = race + 1; k <= event; k++) {
    const thread = history.thread[k];
    if (first[thread] >= 0 || (k !== event && history.before(race, k))) continue;
    let free = true;
    for (let other = 0; other < history.threads; other++)
      if (first[other] >= 0 && history.seen(k, other) > history.index[first[other]]) free = false;
    first[thread] = k;
    if (free) initials |= 1 << thread;
  }
  const own = 1 << history.thread[event];
  // Others may come before it, and then it may do something else.
  if (waits && initials !== own) initials &= ~own;
  if ((frame.enabled & own) === 0 && onlyAfter(history, race, event, first)) initials = own;
  if (((frame.backtrack | frame.sleep) & initials) !== 0) return;
  const possible = initials & frame.enabled;
  if (possible === 0) {
    for (let rest = initials; rest !== 0; rest &= rest - 1) {
      const cause = whatMadeItWait(history, frames, race, first[lowest(rest)]);
      if (cause >= 0) reverse(history, frames, cause, event, waits);
    }
    return;
  }
  frame.backtrack |= (possible & own) !== 0 ? own : possible & -possible;
}

/** Whether `event`, which its thread waited for at `race`, needs just that to go on: nothing else since has to do with it. */
function onlyAfter(history: History, race: number, event: number, first: readonly number[]): boolean {
  if (first[history.thread[event]] !== event) return false;
  for (let k = race + 1; k < event; k++)
    if (!history.before(race, k) && dependent(history.touched[k], history.touched[event])) return false;
  return true;
}

/** The event before `race` without which `waiting` could have been made there; -1: nothing that its thread didn't know before. */
function whatMadeItWait(history: History, frames: readonly Frame[], race: number, waiting: number): number {
  const thread = history.thread[waiting];
  const before = history.previous[waiting];
  let looks = frames[race].looks[thread] ?? history.touched[waiting];
  for (let k = race - 1; k >= 0; k--) {
    if (history.thread[k] === thread || !dependent(history.touched[k], looks)) continue;
    if (before >= 0 && history.before(k, before)) return -1;
    if ((frames[k].enabled & (1 << thread)) !== 0) return k;
    looks = [...looks, ...(frames[k].looks[thread] ?? [])];
  }
  return -1;
}

/** Whoever slept, or was tried before, goes on sleeping after a step that is independent of his. */
function fallAsleep(frame: Frame, next: Frame, touched: readonly number[]): void {
  let sleep = 0;
  for (let rest = frame.sleep; rest !== 0; rest &= rest - 1) {
    const thread = lowest(rest);
    if (thread === frame.chosen || dependent(frame.asleep[thread], touched)) continue;
    sleep |= 1 << thread;
    next.asleep[thread] = frame.asleep[thread];
  }
  next.sleep = sleep;
}

/** Goes back to the last frame where another thread is to be tried; false: there is none. */
function backtrack(history: History, frames: readonly Frame[]): boolean {
  while (history.length > 0) {
    const frame = frames[history.length - 1];
    frame.asleep[frame.chosen] = history.touched[history.length - 1];
    frame.sleep |= 1 << frame.chosen;
    history.pop();
    const next = frame.backtrack & frame.enabled & ~frame.sleep;
    if (next !== 0) {
      frame.chosen = lowest(next);
      return true;
    }
  }
  return false;
}

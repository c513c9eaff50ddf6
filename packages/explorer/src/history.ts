import { conflict, DOMINATES, isFailed, isReader, reversible } from './access.js';

/** Twice the room. */
function grown(old: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(old.length * 2);
  larger.set(old);
  return larger;
}

/**
 * What one schedule did so far and what happened before what: events with vector clocks, and for every object the accesses made
 * to it. Events can be taken back from the end.
 */
export class History {
  length = 0;
  /** By event: its thread, and its number among that thread's events. */
  thread = new Int32Array(256);
  index = new Int32Array(256);
  /** By event: the one before it of its thread; -1: none. */
  previous = new Int32Array(256);
  touched: (readonly number[])[] = [];
  /** Events that the newest one is in a reversible race with, latest first. */
  readonly races: number[] = [];
  private readonly readers: number[] = [];
  private clocks: Int32Array;
  private readonly last: Int32Array;
  private firstAccess = new Int32Array(256);
  private accesses = 0;
  private accessEvent = new Int32Array(512);
  private accessOf = new Int32Array(512);
  private accessBefore = new Int32Array(512);
  private readonly heads: number[] = [];

  constructor(readonly threads: number) {
    this.clocks = new Int32Array(256 * threads);
    this.last = new Int32Array(threads).fill(-1);
  }

  /** Whether event `a` happened before event `b`, or is it. */
  before(a: number, b: number): boolean {
    return this.clocks[b * this.threads + this.thread[a]] > this.index[a];
  }

  /** How many events of `thread` happened before `event`. */
  seen(event: number, thread: number): number {
    return this.clocks[event * this.threads + thread];
  }

  /** Adds an event; `races` then tells whom it could have overtaken. */
  push(thread: number, touched: readonly number[]): void {
    const event = this.length;
    if (event === this.thread.length) this.grow();
    const { threads, clocks } = this;
    const last = this.last[thread];
    const base = event * threads;
    if (last < 0) clocks.fill(0, base, base + threads);
    else clocks.copyWithin(base, last * threads, (last + 1) * threads);
    this.thread[event] = thread;
    this.index[event] = last < 0 ? 0 : this.index[last] + 1;
    this.previous[event] = last;
    this.firstAccess[event] = this.accesses;
    this.races.length = 0;
    for (let i = 0; i < touched.length; i++) this.order(event, touched[i]);
    for (let i = 0; i < touched.length; i++) this.record(event, touched[i]);
    clocks[base + thread] = this.index[event] + 1;
    this.last[thread] = event;
    this.touched[event] = touched;
    this.length = event + 1;
  }

  /** Takes the newest event back. */
  pop(): void {
    const event = --this.length;
    this.last[this.thread[event]] = this.previous[event];
    while (this.accesses > this.firstAccess[event]) {
      const access = --this.accesses;
      this.heads[this.accessOf[access] >>> 3] = this.accessBefore[access];
    }
  }

  /** Two schedules with the same key differ in the order of independent steps only. */
  key(): string {
    const rows: string[] = [];
    for (let thread = 0; thread < this.threads; thread++) {
      const row: string[] = [];
      for (let event = this.last[thread]; event >= 0; event = this.previous[event])
        row.push(this.clocks.subarray(event * this.threads, (event + 1) * this.threads).join());
      rows.push(row.join(' '));
    }
    return rows.join(';');
  }

  /**
   * First the races, then the edges that only say who let whom go on: an unlock must not hide the lock before it. Nor must a
   * reader's second lock hide his first, which kept a writer out all the time, or a failed attempt the lock that made it fail.
   */
  private order(event: number, access: number): void {
    const mode = access & 7;
    const head = this.heads[access >>> 3] ?? -1;
    const { races, readers } = this;
    readers.length = 0;
    for (let at = head; at >= 0; at = this.accessBefore[at]) {
      const earlier = this.accessOf[at] & 7;
      if (!reversible(earlier, mode)) continue;
      const other = this.accessEvent[at];
      if (!isReader(earlier) && !isFailed(earlier)) while (readers.length > 0) this.join(event, readers.pop() as number);
      if (other !== event && !this.before(other, event)) {
        races.push(other);
        if (isReader(earlier)) readers.push(other);
        else if (!isFailed(earlier)) this.join(event, other);
      }
      if ((DOMINATES & (1 << earlier)) !== 0) break;
    }
    for (let at = head; at >= 0; at = this.accessBefore[at]) {
      const earlier = this.accessOf[at] & 7;
      if (conflict(earlier, mode)) this.join(event, this.accessEvent[at]);
      if ((DOMINATES & (1 << earlier)) !== 0) break;
    }
  }

  private join(event: number, other: number): void {
    const { threads, clocks } = this;
    const into = event * threads;
    const from = other * threads;
    for (let i = 0; i < threads; i++) if (clocks[from + i] > clocks[into + i]) clocks[into + i] = clocks[from + i];
  }

  private record(event: number, access: number): void {
    if (this.accesses === this.accessOf.length) {
      this.accessEvent = grown(this.accessEvent);
      this.accessOf = grown(this.accessOf);
      this.accessBefore = grown(this.accessBefore);
    }
    const at = this.accesses++;
    const object = access >>> 3;
    while (this.heads.length <= object) this.heads.push(-1);
    this.accessEvent[at] = event;
    this.accessOf[at] = access;
    this.accessBefore[at] = this.heads[object];
    this.heads[object] = at;
  }

  private grow(): void {
    this.thread = grown(this.thread);
    this.index = grown(this.index);
    this.previous = grown(this.previous);
    this.firstAccess = grown(this.firstAccess);
    this.clocks = grown(this.clocks);
  }
}

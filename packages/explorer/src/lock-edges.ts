import type { RmapStrategy } from '@rmap-lab/core';
import { documentedOrder, LockInversion, RECLAIM } from './lock-order.js';

/** A class of locks, and one that was waited for under it. */
export interface LockEdge {
  readonly held: string;
  readonly next: string;
}

/**
 * What was waited for under what in any schedule of a program, beside the documented order: two schedules may take locks in opposite
 * orders of which neither does so alone.
 */
export class LockEdges {
  /** By class: those that were waited for under it. */
  private readonly learned = new Map<string, Set<string>>();
  private readonly documented = new Map<string, readonly string[]>();
  private sought: LockEdge | null = null;

  constructor(locks: RmapStrategy['locks']) {
    for (const [first, then] of documentedOrder(locks)) this.documented.set(first, [...(this.documented.get(first) ?? []), then]);
  }

  /** All that were learned. */
  get all(): readonly LockEdge[] {
    return [...this.learned].flatMap(([held, after]) => [...after].map((next) => ({ held, next })));
  }

  /** A schedule waits for `next` under `held`. @param threads whether its threads do @throws LockInversion where that is what is sought */
  readonly learn = (held: string, next: string, threads: boolean): void => {
    const after = this.learned.get(held) ?? new Set();
    this.learned.set(held, after.add(next));
    const { sought } = this;
    if (!threads || sought?.held !== held || sought.next !== next) return;
    const what = next === RECLAIM ? 'an allocation, which may reclaim and walk,' : next;
    const rule = next === RECLAIM ? 'R29' : 'R28';
    const message = `${what} is waited for under ${held}; in another schedule, ${held} is waited for under ${next}, or under what comes after it`;
    throw new LockInversion(rule, held, 'lock', message);
  };

  /** Edges of several schedules that lead round in a circle, the fewest there are; empty: none do. */
  circle(): readonly LockEdge[] {
    const circles = this.all.flatMap((edge) => {
      const back = this.path(edge.next, edge.held);
      return back === null ? [] : [[edge, ...back]];
    });
    return circles.sort((a, b) => a.length - b.length)[0] ?? [];
  }

  /** Runs `search` in schedules that fail where they wait for what is `sought`. */
  seeking<T>(sought: LockEdge, search: () => T): T {
    const before = this.sought;
    this.sought = sought;
    try {
      return search();
    } finally {
      this.sought = before;
    }
  }

  /** What was learned of a shortest way from one class to another; null: there is no way. */
  private path(from: string, to: string): readonly LockEdge[] | null {
    const ways = new Map<string, readonly LockEdge[]>([[from, []]]);
    for (const [at, way] of ways) {
      if (at === to) return way;
      for (const next of this.documented.get(at) ?? []) if (!ways.has(next)) ways.set(next, way);
      for (const next of this.learned.get(at) ?? []) if (!ways.has(next)) ways.set(next, [...way, { held: at, next }]);
    }
    return null;
  }
}

import { Fingerprint } from './fingerprint.js';
import type { Program, World } from './program.js';
import { Snapshot } from './snapshot.js';
import { Tracing } from './tracing/tracing.js';

/** As many as are remembered. */
const MOST_STATES = 2 ** 20;

/** A world that is made once and put back to the start for every schedule: all that can be reached from it by fields and elements. */
export class Kept<W extends object> {
  private readonly snapshot: Snapshot;
  private readonly fingerprint: Fingerprint;
  /** States that were checked and are right. */
  private readonly right = new Set<number>();
  /** Whether nothing was done to the world since its state was last taken. */
  private untouched = false;

  constructor(
    readonly world: W,
    /** Of the world, if it is traced. @internal */
    readonly tracing?: Tracing,
  ) {
    this.snapshot = new Snapshot([world]);
    this.fingerprint = new Fingerprint(this.snapshot, tracing && ((object) => tracing.nameOf(object)));
  }

  /** Back to the start. */
  restore(): void {
    this.snapshot.restore(this.untouched);
    this.untouched = false;
  }

  /** The search is over. @throws Unrestorable where one of its schedules began otherwise than from the start */
  finish(): void {
    this.snapshot.nothingAdded();
  }

  /** The state as it is now, as a number. */
  state(): number {
    return this.fingerprint.take();
  }

  /** What a world of a program says of itself where it is traced. */
  views(): Pick<World, 'tracing' | 'fingerprint'> {
    return this.tracing === undefined ? {} : { tracing: this.tracing, fingerprint: () => this.state() };
  }

  /** At the end of a schedule, behind which nothing is done to the world: runs `check` unless it passed in this very state. */
  once(check: () => void): void {
    const state = this.state();
    this.untouched = this.right.has(state);
    if (this.untouched) return;
    check();
    if (this.right.size < MOST_STATES) this.right.add(state);
  }
}

/**
 * A program whose world is made once and then put back for every schedule, and traced where that is asked for: threads may share only
 * what can be reached from the world by fields and elements.
 * @param begin makes the threads; without `kept` for a world that is used once
 */
export function keptProgram<W extends object>(
  make: () => W,
  begin: (world: W, kept: Kept<W> | null) => World,
  trace = (world: W): Tracing => new Tracing([world]),
): Program {
  const all: Partial<Record<'plain' | 'traced', Kept<W>>> = {};
  const program: Program = (how) => {
    if (how === 'fresh') return begin(make(), null);
    let kept = all[how ?? 'plain'];
    if (kept === undefined) {
      const world = make();
      kept = new Kept(world, how === 'traced' ? trace(world) : undefined);
      all[how ?? 'plain'] = kept;
    } else kept.restore();
    kept.tracing?.restart();
    return begin(kept.world, kept);
  };
  const over = (): void => {
    for (const kept of Object.values(all)) kept.finish();
  };
  return Object.assign(program, { over });
}

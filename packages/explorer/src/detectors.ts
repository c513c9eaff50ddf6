import { COUNTERS, ContractViolation, type RmapStrategy, type Task, type Watch } from '@rmap-lab/core';
import { type Classed, LockOrder, RECLAIM } from './lock-order.js';
import { Races, THREADS } from './races.js';

interface Held extends Classed {
  readonly lock: object;
  readonly key: number;
  readonly write: boolean;
}

/** Looks on while the threads of one schedule run: the order of locks by class, what each thread holds, data races. */
export class Detectors implements Watch {
  /** Clocks order what one schedule did; they are no part of a state. */
  static readonly [COUNTERS] = ['races'];
  private readonly order: LockOrder;
  /** By number of the task. */
  private readonly held: readonly Held[][] = Array.from({ length: THREADS }, () => []);
  private races: Races | null = null;
  /** Closed over, so that who puts the machine back leaves the clocks alone. */
  private readonly restarted: () => Races;

  constructor(
    locks: RmapStrategy['locks'],
    private readonly tasks: readonly Task[],
    learned: (held: string, next: string, threads: boolean) => void,
  ) {
    this.order = new LockOrder(locks, (held, next) => learned(held, next, this.races !== null));
    const races = new Races((thread) => this.tasks.find(({ id }) => id === thread)?.name ?? 'main');
    this.restarted = () => {
      races.restart(this.tasks.length + 1);
      return races;
    };
  }

  /** The threads begin: what came before happened before all of them. */
  begin(): void {
    this.races = this.restarted();
  }

  /** The threads have ended: what follows happens after all of them. */
  end(): void {
    this.races = null;
  }

  /** What `task` holds, oldest first, such as `anon_vma W`. */
  heldBy(task: Task): string[] {
    return this.held[task.id].map(({ lockClass, write }) => `${lockClass} ${write ? 'W' : 'R'}`);
  }

  acquired(task: Task, lockClass: string, lock: object, key: number, write: boolean, tried: boolean): void {
    const held = this.held[task.id];
    const taken = { lockClass, number: -1, lock, key, write };
    if (!tried)
      for (let i = 0; i < held.length; i++) {
        if (held[i].lock === lock && held[i].key === key) throw recursion(lockClass);
        this.order.wait(held[i], taken);
      }
    held.push(taken);
    if (lockClass !== RECLAIM) this.races?.acquired(task.id, lock, key, write);
  }

  released(task: Task, lock: object, key: number, write: boolean): void {
    let dropped = this.drop(task.id, lock, key, write);
    for (let holder = 0; dropped === null && holder < this.held.length; holder++) dropped = this.drop(holder, lock, key, write);
    // Two allocations wait for nothing of each other: reclaim is a lock by its place in the order only.
    if (dropped?.lockClass !== RECLAIM) this.races?.released(task.id, lock, key, write);
  }

  readEnded(task: Task, rcu: object): void {
    this.races?.released(task.id, rcu, 0, false);
  }

  /** As if it had taken for writing what the sections had for reading. */
  graceEnded(task: Task, rcu: object): void {
    this.races?.acquired(task.id, rcu, 0, true);
  }

  accessed(task: Task, cache: object, place: number, write: boolean, object: object, field: string): void {
    this.races?.accessed(task.id, cache, place, write, object, field);
  }

  marked(task: Task, object: object, field: PropertyKey, write: boolean): void {
    this.races?.marked(task.id, object, field, write);
  }

  freed(task: Task, cache: object, place: number, object: object, fields: readonly string[]): void {
    this.races?.freed(task.id, cache, place, object, fields);
  }

  private drop(task: number, lock: object, key: number, write: boolean): Held | null {
    const held = this.held[task];
    for (let at = held.length - 1; at >= 0; at--) {
      const one = held[at];
      if (one.lock !== lock || one.key !== key || one.write !== write) continue;
      if (at === held.length - 1) held.pop();
      else held.splice(at, 1);
      return one;
    }
    return null;
  }
}

/** Locks of the model let readers in past a writer that waits; those of the kernel do not (down_read, rwsem_acquire_read). */
const recursion = (lockClass: string): ContractViolation => {
  const why = 'a writer that begins to wait between the two lets neither go on';
  return new ContractViolation('R28', lockClass, 'lock', `a thread that reads under it waits to read under it once more: ${why}`);
};

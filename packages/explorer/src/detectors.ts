import type { RmapStrategy, Task, Watch } from '@rmap-lab/core';
import { LockOrder } from './lock-order.js';
import { Races } from './races.js';

interface Held {
  readonly lockClass: string;
  readonly lock: object;
  readonly key: number;
  readonly write: boolean;
}

/** Looks on while the threads of one schedule run: the order of locks by class, what each thread holds, data races. */
export class Detectors implements Watch {
  private readonly order: LockOrder;
  private readonly held = new Map<Task, Held[]>();
  private races: Races | null = null;

  constructor(
    locks: RmapStrategy['locks'],
    private readonly tasks: readonly Task[],
  ) {
    this.order = new LockOrder(locks);
  }

  /** The threads begin: what came before happened before all of them. */
  begin(): void {
    this.races = new Races();
  }

  /** The threads have ended: what follows happens after all of them. */
  end(): void {
    this.races = null;
  }

  /** What `task` holds, oldest first, such as `anon_vma W`. */
  heldBy(task: Task): string[] {
    return (this.held.get(task) ?? []).map(({ lockClass, write }) => `${lockClass} ${write ? 'W' : 'R'}`);
  }

  acquired(task: Task, lockClass: string, lock: object, key: number, write: boolean, tried: boolean): void {
    let held = this.held.get(task);
    if (held === undefined) {
      held = [];
      this.held.set(task, held);
    }
    if (!tried) for (const other of held) this.order.wait(other.lockClass, lockClass);
    held.push({ lockClass, lock, key, write });
    this.races?.acquired(task.id, lock, key, write);
  }

  released(task: Task, lock: object, key: number, write: boolean): void {
    this.races?.released(task.id, lock, key, write);
    for (const holder of this.held.has(task) ? [task, ...this.held.keys()] : this.held.keys()) {
      const held = this.held.get(holder) as Held[];
      const at = held.findLastIndex((one) => one.lock === lock && one.key === key && one.write === write);
      if (at < 0) continue;
      held.splice(at, 1);
      return;
    }
  }

  accessed(task: Task, object: object, field: string, write: boolean): void {
    this.races?.accessed(task.id, object, field, write, (thread) => this.tasks.find(({ id }) => id === thread)?.name ?? 'main');
  }

  marked(task: Task, object: object, field: PropertyKey): void {
    this.races?.marked(task.id, object, field);
  }
}

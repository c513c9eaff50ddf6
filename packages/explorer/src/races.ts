import { ContractViolation } from '@rmap-lab/core';

/** Two plain accesses to one field, one of them a store, that no lock orders. */
export class DataRace extends ContractViolation {
  override readonly name = 'DataRace';
  constructor(
    object: object,
    /** Number of the task that made the other access. */
    readonly other: number,
    detail: string,
  ) {
    super('race', object.constructor.name, 'access', detail);
  }
}

/** Threads that are told apart; the first is the one that sets up. */
const THREADS = 8;
/** A plain array: one is made for each field of each new object, and making a typed array takes half as long again. */
type Clock = number[];
const zeros = (): Clock => [0, 0, 0, 0, 0, 0, 0, 0];

function join(into: Clock, from: Clock): void {
  for (let i = 0; i < THREADS; i++) if (from[i] > into[i]) into[i] = from[i];
}

const RELEASED = Symbol('releases by key');
const FIELDS = Symbol('accesses by field');
/** Fields that this adds to objects of core; objects outlive a run, so what is there may be of another. */
export const RACE_FIELDS: readonly symbol[] = [RELEASED, FIELDS];

/** What whoever gives up a lock for writing, or for reading, has done by then. */
interface Released {
  run: number;
  readonly write: Clock;
  readonly read: Clock;
}

/** Accesses to one field: the last store, and each thread's last load. */
interface Field {
  run: number;
  writer: number;
  stored: number;
  readonly loads: Clock;
}

interface Watched {
  [RELEASED]?: Map<PropertyKey, Released>;
  [FIELDS]?: Map<string, Field>;
}

let runs = 0;

/** Happens-before by vector clocks: locks order what is done under them, marked accesses order each other (sequential consistency). */
export class Races {
  private run = 0;
  private readonly clocks = Array.from({ length: THREADS }, zeros);

  /** Another run begins: nothing of the one before matters. */
  restart(): void {
    this.run = ++runs;
    for (let i = 0; i < THREADS; i++) {
      this.clocks[i].fill(0);
      this.clocks[i][i] = 1;
    }
  }

  acquired(thread: number, lock: object, key: PropertyKey, write: boolean): void {
    const released = (lock as Watched)[RELEASED]?.get(key);
    if (released === undefined || released.run !== this.run) return;
    join(this.clocks[thread], released.write);
    if (write) join(this.clocks[thread], released.read);
  }

  released(thread: number, lock: object, key: PropertyKey, write: boolean): void {
    const released = this.releasedOf(lock, key);
    join(write ? released.write : released.read, this.clocks[thread]);
    this.clocks[thread][thread]++;
  }

  /** A marked access sees all marked ones before it. */
  marked(thread: number, object: object, field: PropertyKey): void {
    this.acquired(thread, object, field, true);
    this.released(thread, object, field, true);
  }

  /** @throws DataRace */
  accessed(thread: number, object: object, name: string, write: boolean, nameOf: (thread: number) => string): void {
    const clock = this.clocks[thread];
    const field = this.fieldOf(object, name);
    const other =
      field.writer >= 0 && field.stored > clock[field.writer]
        ? field.writer
        : write
          ? loadedSince(field.loads, clock, thread)
          : -1;
    if (other >= 0) {
      const what = `${nameOf(thread)} ${write ? 'stores' : 'loads'}, ${nameOf(other)} ${other === field.writer ? 'stored' : 'loaded'}`;
      throw new DataRace(object, other, `'${name}': ${what}, and no lock orders the two`);
    }
    if (write) {
      field.writer = thread;
      field.stored = clock[thread];
    } else field.loads[thread] = clock[thread];
  }

  private releasedOf(lock: Watched, key: PropertyKey): Released {
    lock[RELEASED] ??= new Map();
    let released = lock[RELEASED].get(key);
    if (released === undefined) {
      released = { run: this.run, write: zeros(), read: zeros() };
      lock[RELEASED].set(key, released);
    } else if (released.run !== this.run) {
      released.run = this.run;
      released.write.fill(0);
      released.read.fill(0);
    }
    return released;
  }

  private fieldOf(object: Watched, name: string): Field {
    object[FIELDS] ??= new Map();
    let field = object[FIELDS].get(name);
    if (field === undefined) {
      field = { run: this.run, writer: -1, stored: 0, loads: zeros() };
      object[FIELDS].set(name, field);
    } else if (field.run !== this.run) {
      field.run = this.run;
      field.writer = -1;
      field.loads.fill(0);
    }
    return field;
  }
}

/** Another thread whose last load `clock` doesn't know; -1: none. */
function loadedSince(loads: Clock, clock: Clock, thread: number): number {
  for (let by = 0; by < THREADS; by++) if (by !== thread && loads[by] > clock[by]) return by;
  return -1;
}

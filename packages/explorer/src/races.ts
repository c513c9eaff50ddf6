import { ContractViolation } from '@rmap-lab/core';

/** Two plain accesses to one field, one of them a store or the end of its object, that no lock orders. */
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
export const THREADS = 8;
/** By thread: how many times it had given something up. A plain array: making a typed one takes half as long again. */
type Clock = number[];
const zeros = (): Clock => [0, 0, 0, 0, 0, 0, 0, 0];

const RELEASED = Symbol('releases by key');
const ACCESSES = Symbol('accesses by place');
/** Fields that this adds to objects of core; objects outlive a run, so what is there may be of another. */
export const RACE_FIELDS: readonly symbol[] = [RELEASED, ACCESSES];

/** What whoever gives up a lock for writing, or for reading, has done by then. */
interface Released {
  readonly write: Clock;
  readonly read: Clock;
}

interface Watched {
  [RELEASED]?: Map<PropertyKey, Released>;
  [ACCESSES]?: Float64Array;
}

/** Of one place: who stored last, and when by his clock; then each thread's last load. */
const RECORD = 2 + THREADS;

/**
 * Happens-before by vector clocks: locks order what is done under them, a marked load is ordered behind the marked stores that it may see.
 * Clocks go on from run to run, so that all that is known of earlier ones lies before whatever a later one does.
 */
export class Races {
  private readonly clocks = Array.from({ length: THREADS }, zeros);
  /** No clock is behind it. */
  private latest = 0;
  private threads = THREADS;

  constructor(private readonly nameOf: (thread: number) => string) {}

  /** Another run begins, of so many threads: nothing of the one before matters. */
  restart(threads: number): void {
    if (threads > THREADS) throw new RangeError(`more than ${THREADS} threads`);
    this.threads = threads;
    const past = this.latest++;
    for (let i = 0; i < threads; i++) {
      this.clocks[i].fill(past);
      this.clocks[i][i] = this.latest;
    }
  }

  acquired(thread: number, lock: object, key: PropertyKey, write: boolean): void {
    const released = (lock as Watched)[RELEASED]?.get(key);
    if (released === undefined) return;
    this.join(this.clocks[thread], released.write);
    if (write) this.join(this.clocks[thread], released.read);
  }

  released(thread: number, lock: object, key: PropertyKey, write: boolean): void {
    const released = releasedOf(lock, key);
    this.release(thread, write ? released.write : released.read);
  }

  /** A marked access sees what was done before the marked stores before it. */
  marked(thread: number, object: object, field: PropertyKey, stores: boolean): void {
    const { write } = releasedOf(object, field);
    this.join(this.clocks[thread], write);
    if (stores) this.release(thread, write);
  }

  /** A plain access to the field `name` of `object`. @param place its number among those of all objects of `cache` @throws DataRace */
  accessed(thread: number, cache: object, place: number, write: boolean, object: object, name: string): void {
    const at = place * RECORD;
    let accesses = (cache as Watched)[ACCESSES];
    if (accesses === undefined || at >= accesses.length) accesses = roomFor(cache, at);
    const clock = this.clocks[thread];
    const writer = accesses[at + 1];
    if (accesses[at] > clock[writer]) this.race(thread, write ? 'stores' : 'loads', writer, 'stored', object, name);
    const loads = at + 2;
    if (write) {
      for (let by = 0; by < this.threads; by++)
        if (accesses[loads + by] > clock[by] && by !== thread) this.race(thread, 'stores', by, 'loaded', object, name);
      accesses[at] = clock[thread];
      accesses[at + 1] = thread;
    } else accesses[loads + thread] = clock[thread];
  }

  /** All accesses must have come before; later ones are to other objects, even in the same memory. @throws DataRace */
  freed(thread: number, cache: object, place: number, object: object, fields: readonly string[]): void {
    const accesses = (cache as Watched)[ACCESSES];
    if (accesses === undefined) return;
    const clock = this.clocks[thread];
    fields.forEach((name, i) => {
      const at = (place + i) * RECORD;
      if (at >= accesses.length) return;
      const writer = accesses[at + 1];
      if (accesses[at] > clock[writer]) this.race(thread, 'frees', writer, 'stored', object, name);
      for (let by = 0; by < this.threads; by++)
        if (accesses[at + 2 + by] > clock[by] && by !== thread) this.race(thread, 'frees', by, 'loaded', object, name);
      accesses.fill(0, at, at + RECORD);
    });
  }

  private race(
    thread: number,
    does: 'loads' | 'stores' | 'frees',
    other: number,
    did: 'stored' | 'loaded',
    object: object,
    name: string,
  ): never {
    const what = `${this.nameOf(thread)} ${does}, ${this.nameOf(other)} ${did}`;
    throw new DataRace(object, other, `'${name}': ${what}, and no lock orders the two`);
  }

  private join(into: Clock, from: Clock): void {
    for (let i = 0; i < this.threads; i++) if (from[i] > into[i]) into[i] = from[i];
  }

  private release(thread: number, into: Clock): void {
    const clock = this.clocks[thread];
    this.join(into, clock);
    if (++clock[thread] > this.latest) this.latest = clock[thread];
  }
}

function releasedOf(lock: Watched, key: PropertyKey): Released {
  lock[RELEASED] ??= new Map();
  let released = lock[RELEASED].get(key);
  if (released === undefined) {
    released = { write: zeros(), read: zeros() };
    lock[RELEASED].set(key, released);
  }
  return released;
}

/** Room for the record at `at`, and as much again. */
function roomFor(cache: Watched, at: number): Float64Array {
  const larger = new Float64Array(2 * (at + RECORD));
  if (cache[ACCESSES] !== undefined) larger.set(cache[ACCESSES]);
  cache[ACCESSES] = larger;
  return larger;
}

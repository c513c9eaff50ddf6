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

const RELEASED = Symbol('releases');
const ACCESSES = Symbol('accesses by place');
/** Fields that this adds to objects of core; objects outlive a run, so what is there may be of another. */
export const RACE_FIELDS: readonly symbol[] = [RELEASED, ACCESSES];

/** What whoever gives up a lock for writing, or for reading, has done by then. */
class Released {
  readonly write = zeros();
  /** Null: nobody has taken it for reading. */
  read: Clock | null = null;
  constructor(
    /** Which lock of the object. */
    readonly key: PropertyKey,
    /** Those of its other locks: few. */
    readonly next: Released | undefined,
  ) {}
}

interface Watched {
  [RELEASED]?: Released;
  [ACCESSES]?: Float64Array;
}

type Doing = 'loads' | 'stores' | 'frees';

/** Of one place: who stored last, and when by his clock; then each thread's last load. */
const RECORD = 2 + THREADS;

/**
 * Happens-before by vector clocks: locks order what is done under them, a grace period comes after the sections that ended before it did, a marked load is ordered behind the marked stores that it may see.
 * Clocks go on from run to run, so that all that is known of earlier ones lies before whatever a later one does.
 */
export class Races {
  private readonly clocks = Array.from({ length: THREADS }, zeros);
  /** No clock is behind it. */
  private latest = 0;
  private threads = THREADS;

  constructor(private readonly nameOf: (thread: number) => string) {}

  /** Another run begins, of so many threads: nothing of the one before matters. @throws RangeError for too many */
  restart(threads: number): void {
    if (threads > THREADS)
      throw new RangeError(
        `the scenario has ${threads - 1} threads, and data races can be looked for among ${THREADS - 1} at most; leave some out, or let kernelProgram not check (checked: false)`,
      );
    this.threads = threads;
    const past = this.latest++;
    for (let i = 0; i < threads; i++) for (let j = 0; j < threads; j++) this.clocks[i][j] = i === j ? this.latest : past;
  }

  acquired(thread: number, lock: object, key: PropertyKey, write: boolean): void {
    const released = find(lock, key);
    if (released === undefined) return;
    this.join(this.clocks[thread], released.write);
    if (write && released.read !== null) this.join(this.clocks[thread], released.read);
  }

  released(thread: number, lock: object, key: PropertyKey, write: boolean): void {
    const released = find(lock, key) ?? add(lock, key);
    if (write) this.release(thread, released.write);
    else {
      released.read ??= zeros();
      this.release(thread, released.read);
    }
  }

  /** A marked access sees what was done before the marked stores before it. */
  marked(thread: number, object: object, field: PropertyKey, stores: boolean): void {
    const released = find(object, field);
    if (released !== undefined) this.join(this.clocks[thread], released.write);
    if (stores) this.release(thread, (released ?? add(object, field)).write);
  }

  /** A plain access to the field `name` of `object`. @param place its number among those of all objects of `cache` @throws DataRace */
  accessed(thread: number, cache: object, place: number, write: boolean, object: object, name: string): void {
    const at = place * RECORD;
    let accesses = (cache as Watched)[ACCESSES];
    if (accesses === undefined || at >= accesses.length) accesses = roomFor(cache, at);
    const now = this.clocks[thread][thread];
    // What was done since it last gave something up need not be looked at again: whoever had come between would have been in a race with it.
    if (write) {
      if (accesses[at] === now && accesses[at + 1] === thread) return;
      this.look(accesses, at, thread, 'stores', object, name);
      accesses[at] = now;
      accesses[at + 1] = thread;
    } else if (accesses[at + 2 + thread] !== now) {
      this.look(accesses, at, thread, 'loads', object, name);
      accesses[at + 2 + thread] = now;
    }
  }

  /** All accesses must have come before; later ones are to other objects, even in the same memory. @throws DataRace */
  freed(thread: number, cache: object, place: number, object: object, fields: readonly string[]): void {
    const accesses = (cache as Watched)[ACCESSES];
    if (accesses === undefined) return;
    const first = place * RECORD;
    for (let i = 0, at = first; i < fields.length && at < accesses.length; i++, at += RECORD)
      this.look(accesses, at, thread, 'frees', object, fields[i]);
    accesses.fill(0, first, first + fields.length * RECORD);
  }

  /** What `thread` does to the place of a record must come after what others did. @throws DataRace */
  private look(accesses: Float64Array, at: number, thread: number, does: Doing, object: object, name: string): void {
    const clock = this.clocks[thread];
    const writer = accesses[at + 1];
    if (accesses[at] > clock[writer]) this.race(thread, does, writer, 'stored', object, name);
    if (does === 'loads') return;
    for (let by = 0; by < this.threads; by++)
      if (accesses[at + 2 + by] > clock[by] && by !== thread) this.race(thread, does, by, 'loaded', object, name);
  }

  private race(thread: number, does: Doing, other: number, did: 'stored' | 'loaded', object: object, name: string): never {
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

function find(lock: Watched, key: PropertyKey): Released | undefined {
  let released = lock[RELEASED];
  while (released !== undefined && released.key !== key) released = released.next;
  return released;
}

function add(lock: Watched, key: PropertyKey): Released {
  const released = new Released(key, lock[RELEASED]);
  lock[RELEASED] = released;
  return released;
}

/** Room for the record at `at`, and as much again. */
function roomFor(cache: Watched, at: number): Float64Array {
  const larger = new Float64Array(2 * (at + RECORD));
  if (cache[ACCESSES] !== undefined) larger.set(cache[ACCESSES]);
  cache[ACCESSES] = larger;
  return larger;
}

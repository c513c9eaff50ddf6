import { ContractViolation } from '@rmap-lab/core';

/** Two plain accesses to one field, one of them a store, that no lock orders. */
class DataRace extends ContractViolation {
  override readonly name = 'DataRace';
}

/** Threads that are told apart; the first is the one that sets up. */
const THREADS = 8;
type Clock = Int32Array;

function join(into: Clock, from: Clock): void {
  for (let i = 0; i < THREADS; i++) if (from[i] > into[i]) into[i] = from[i];
}

/** What whoever gives up a lock for writing, or for reading, has done by then. */
interface Released {
  readonly write: Clock;
  readonly read: Clock;
}

/** Accesses to one field: the last store, and each thread's last load. */
interface Field {
  writer: number;
  stored: number;
  readonly loads: Clock;
}

/** Happens-before by vector clocks: locks order what is done under them, marked accesses order each other (sequential consistency). */
export class Races {
  private readonly clocks = Array.from({ length: THREADS }, (_, i) => new Int32Array(THREADS).fill(1, i, i + 1));
  private readonly locks = new Map<object, Map<PropertyKey, Released>>();
  private readonly fields = new Map<object, Map<string, Field>>();

  acquired(thread: number, lock: object, key: PropertyKey, write: boolean): void {
    const released = this.locks.get(lock)?.get(key);
    if (released === undefined) return;
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
          ? field.loads.findIndex((at, by) => by !== thread && at > clock[by])
          : -1;
    if (other >= 0) {
      const what = `${nameOf(thread)} ${write ? 'stores' : 'loads'}, ${nameOf(other)} ${other === field.writer ? 'stored' : 'loaded'}`;
      throw new DataRace('race', object.constructor.name, 'access', `'${name}': ${what}, and no lock orders the two`);
    }
    if (write) {
      field.writer = thread;
      field.stored = clock[thread];
    } else field.loads[thread] = clock[thread];
  }

  private releasedOf(lock: object, key: PropertyKey): Released {
    let byKey = this.locks.get(lock);
    if (byKey === undefined) {
      byKey = new Map();
      this.locks.set(lock, byKey);
    }
    let released = byKey.get(key);
    if (released === undefined) {
      released = { write: new Int32Array(THREADS), read: new Int32Array(THREADS) };
      byKey.set(key, released);
    }
    return released;
  }

  private fieldOf(object: object, name: string): Field {
    let byName = this.fields.get(object);
    if (byName === undefined) {
      byName = new Map();
      this.fields.set(object, byName);
    }
    let field = byName.get(name);
    if (field === undefined) {
      field = { writer: -1, stored: 0, loads: new Int32Array(THREADS) };
      byName.set(name, field);
    }
    return field;
  }
}

import { largerThan } from '../folio/growth.js';

/** Entries of a table. */
const ENTRIES = 512;
/** Ranges that are noted at most before those of one table become one. */
const MANY = 2 ** 12;

/** Levels of entries that map pages: a leaf's PTEs, a PMD table's entries. */
export type MappingLevel = 0 | 1;

/** Which entries were about to be written since {@link clear}, and which tables moved to another address as a whole. */
export class EntryChanges {
  /** Ranges noted so far. */
  length = 0;
  /** Leaf tables. */
  readonly moved: number[] = [];
  private places = new Int32Array(64);
  private counts = new Int32Array(64);
  private levels = new Uint8Array(64);

  note(at: number, count: number, level: MappingLevel): void {
    const table = at >>> 9;
    if (table >= this.levels.length) this.levels = grown(this.levels, new Uint8Array(2 * table));
    this.levels[table] = level;
    if (this.length === this.places.length) this.makeRoom();
    this.places[this.length] = at;
    this.counts[this.length++] = count;
  }

  /** Where range `i` begins. */
  at(i: number): number {
    return this.places[i];
  }

  /** Behind its end. */
  end(i: number): number {
    return this.places[i] + this.counts[i];
  }

  /** The level of a table as of the last note. */
  level(table: number): MappingLevel {
    return this.levels[table] as MappingLevel;
  }

  clear(): void {
    this.length = 0;
    this.moved.length = 0;
  }

  private makeRoom(): void {
    if (this.length >= MANY) this.joinTables();
    if (this.length < this.places.length / 2) return;
    const length = largerThan(this.places.length, MANY);
    this.places = grown(this.places, new Int32Array(length));
    this.counts = grown(this.counts, new Int32Array(length));
  }

  private joinTables(): void {
    const tables = new Set(this.places.subarray(0, this.length).map((at) => at >>> 9));
    this.length = 0;
    for (const table of tables) {
      this.places[this.length] = table * ENTRIES;
      this.counts[this.length++] = ENTRIES;
    }
  }
}

function grown<T extends Int32Array | Uint8Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

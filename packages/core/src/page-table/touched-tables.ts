/** Levels of entries that map pages: a leaf's PTEs, a PMD table's huge entries. */
export type MappingLevel = 0 | 1;

/** Tables that were looked up, and so may have been changed, since {@link clear}. */
export class TouchedTables {
  readonly tables: number[] = [];
  /** By table: 0 not touched, 1 touched, 2 moved to another address as a whole. */
  private how = new Uint8Array(64);
  private levels = new Uint8Array(64);

  mark(table: number, level: MappingLevel, moved = false): void {
    if (table >= this.how.length) this.grow(table);
    if (this.how[table] === 0) this.tables.push(table);
    this.how[table] = moved ? 2 : this.how[table] || 1;
    this.levels[table] = level;
  }

  moved(table: number): boolean {
    return this.how[table] === 2;
  }

  level(table: number): MappingLevel {
    return this.levels[table] as MappingLevel;
  }

  clear(): void {
    for (const table of this.tables) this.how[table] = 0;
    this.tables.length = 0;
  }

  private grow(table: number): void {
    const length = 2 * Math.max(table, this.how.length);
    for (const field of ['how', 'levels'] as const) {
      const larger = new Uint8Array(length);
      larger.set(this[field]);
      this[field] = larger;
    }
  }
}

import { largerThan } from '../folio/growth.js';
import { ANON } from '../folio/mem-map.js';
import type { Machine } from '../machine.js';
import { ENTRIES, type Table } from '../page-table/page-table.js';
import { kindOf, PRESENT, type Pte, pfnOf } from '../page-table/pte.js';
import { type MappingLevel, TouchedTables } from '../page-table/touched-tables.js';
import { run, runAlone } from '../sync/op.js';
import type { Folio, Pfn } from '../units.js';
import { lostMappings } from './lost-mappings.js';
import type { VerifyReport } from './verify.js';
import { walkFolio } from './walk.js';

/**
 * Checks the folios whose entries changed since the last look: their map counts and their walks. It knows what changed from page
 * tables that were looked up, against a copy of them. What only a VMA's or the strategy's own change breaks it does not see: a full
 * check at the end does.
 */
export class ChangeVerifier {
  private readonly touched = new TouchedTables();
  /** The entries as they were at the last look, by place. */
  private shadow = new Int32Array(0);
  private levels = new Uint8Array(0);
  /** PTEs that map each page; PMD entries that map each folio, at its first page. */
  private ptes = new Int32Array(0);
  private pmds = new Int32Array(0);
  private readonly changed = new Set<Pfn>();

  constructor(private readonly m: Machine) {
    m.tables.touched = this.touched;
    for (const mm of m.mms.values()) this.touchAll(mm.pgd, 3);
  }

  /** What is wrong with what changed since the last call; at the first call, with everything. */
  verify(): VerifyReport {
    const { tables, mem } = this.m;
    if (this.shadow.length < tables.entries.length) this.growTables(tables.entries.length);
    if (this.ptes.length < mem.used) this.growPages(mem.used);
    const { changed } = this;
    for (const table of this.touched.tables) this.compare(table, this.touched.level(table), this.touched.moved(table));
    const report = { folios: 0, mappings: 0, missed: 0, wrong: 0, problems: [] as string[] };
    const folios = new Set<Folio>();
    for (const pfn of changed) {
      if (mem.mapcount[pfn] !== this.ptes[pfn]) {
        report.wrong++;
        report.problems.push(`page ${pfn} has map count ${mem.mapcount[pfn]}, ${this.ptes[pfn]} entries map it`);
      }
      folios.add(mem.folioOf(pfn));
    }
    changed.clear();
    for (const folio of folios) if ((mem.flags[folio] & ANON) !== 0) this.walk(folio, report);
    this.touched.clear();
    return report;
  }

  private walk(
    folio: Folio,
    report: { folios: number; mappings: number; missed: number; wrong: number; problems: string[] },
  ): void {
    const { m } = this;
    let mappings = this.pmds[folio];
    for (let pfn = folio as number; pfn < folio + m.mem.pages(folio); pfn++) mappings += this.ptes[pfn];
    if (mappings === 0) return;
    report.folios++;
    report.mappings += mappings;
    try {
      const op = walkFolio(m, folio, () => true);
      const { found } = m.options.stepping ? runAlone(op) : run(op);
      if (found === mappings) return;
      const lost = lostMappings(m, folio).length;
      report.mappings -= mappings - found - lost;
      if (lost === 0 && found < mappings) return;
      report.missed += lost;
      report.problems.push(
        `R17: the walk of folio ${folio} (index ${m.mem.index[folio]}) found ${found} of ${found + lost} mappings`,
      );
    } catch (error) {
      report.wrong++;
      report.problems.push(error instanceof Error ? error.message : String(error));
    }
  }

  /** Everything below a table counts as new. */
  private touchAll(table: Table, level: number): void {
    if (level <= 1) this.touched.mark(table, level as MappingLevel);
    if (level === 0) return;
    const { entries } = this.m.tables;
    for (let at = table * ENTRIES; at < (table + 1) * ENTRIES; at++)
      if (entries[at] !== 0 && kindOf(entries[at]) !== PRESENT) this.touchAll(entries[at] >>> 8, level - 1);
  }

  private compare(table: Table, level: MappingLevel, moved: boolean): void {
    const { shadow, m } = this;
    const { entries } = m.tables;
    const was = this.levels[table];
    const end = (table + 1) * ENTRIES;
    for (let at = table * ENTRIES; at < end; at++) {
      const before = shadow[at];
      const now = entries[at];
      if (before === now && !moved) continue;
      if (kindOf(before) === PRESENT) this.count(before, was, -1);
      if (kindOf(now) === PRESENT) this.count(now, level, 1);
      shadow[at] = now;
    }
    this.levels[table] = level;
  }

  private count(pte: Pte, level: number, by: 1 | -1): void {
    const pfn = pfnOf(pte);
    if (level === 0) this.ptes[pfn] += by;
    else this.pmds[pfn] += by;
    this.changed.add(pfn);
  }

  private growTables(length: number): void {
    const larger = new Int32Array(length);
    larger.set(this.shadow);
    this.shadow = larger;
    const levels = new Uint8Array(length / ENTRIES);
    levels.set(this.levels);
    this.levels = levels;
  }

  private growPages(used: number): void {
    const length = largerThan(used, 2 ** 16);
    for (const field of ['ptes', 'pmds'] as const) {
      const larger = new Int32Array(length);
      larger.set(this[field]);
      this[field] = larger;
    }
  }
}

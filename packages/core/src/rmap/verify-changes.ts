import { messageOf } from '../errors.js';
import { largerThan } from '../folio/growth.js';
import { ANON } from '../folio/mem-map.js';
import type { Machine } from '../machine.js';
import { EntryChanges, type MappingLevel } from '../page-table/entry-changes.js';
import { ENTRIES, type Table } from '../page-table/page-table.js';
import { kindOf, PRESENT, type Pte, payloadOf, pfnOf, TABLE } from '../page-table/pte.js';
import { run, runAlone } from '../sync/op.js';
import type { Folio, Pfn } from '../units.js';
import type { Counts } from './ground-truth.js';
import { lostMappings } from './lost-mappings.js';
import type { VerifyReport } from './verify.js';
import { walkFolio } from './walk.js';

/** A report as it is made. */
type Findings = { -readonly [K in keyof VerifyReport]: VerifyReport[K] } & { problems: string[] };

const NOTHING: VerifyReport = { folios: 0, mappings: 0, missed: 0, wrong: 0, problems: [] };

/**
 * Checks the folios whose entries changed since the last look: their map counts and their walks. It knows what changed from the places
 * that were written, against a copy of the entries. What only a VMA's or the strategy's own change breaks it does not see: a full
 * check at the end does.
 */
export class ChangeVerifier {
  private readonly changes = new EntryChanges();
  /** The entries as they were at the last look, by place. */
  private shadow = new Int32Array(0);
  /** The level of each table, as it was then. */
  private levels = new Uint8Array(0);
  /** PTEs that map each page; PMD entries that map each folio, at its first page. */
  private ptes = new Int32Array(0);
  private pmds = new Int32Array(0);
  /** Pages whose mappings changed, once each, and folios to walk. */
  private readonly changed: Pfn[] = [];
  private readonly folios: Folio[] = [];
  /** By page: the last look at which it was one of them. */
  private seen = new Int32Array(0);
  private walked = new Int32Array(0);
  private looks = 1;

  constructor(private readonly m: Machine) {
    m.tables.changes = this.changes;
    for (const mm of m.mms.values()) this.noteAll(mm.pgd, 3);
  }

  /** What is wrong with what changed since the last call; at the first call, with everything. */
  verify(): VerifyReport {
    const { changes } = this;
    if (changes.length > 0 || changes.moved.length > 0) this.lookAtEntries();
    if (this.changed.length === 0) return NOTHING;
    const report: Findings = { folios: 0, mappings: 0, missed: 0, wrong: 0, problems: [] };
    this.lookAtPages(report);
    if (this.folios.length > 0) this.m.uncounted(() => this.walkAll(report));
    return report;
  }

  /** Holds the counts of all pages against the truth: a change of an entry that was not noted would go unseen. */
  compareWith({ ptes, pmds }: Counts, complain: (text: string) => void): void {
    this.lookAtEntries();
    for (let pfn = 1; pfn < ptes.length; pfn++)
      if (this.ptes[pfn] !== ptes[pfn] || this.pmds[pfn] !== pmds[pfn])
        complain(
          `page ${pfn} is mapped ${ptes[pfn]} + ${pmds[pfn]} times, ${this.ptes[pfn]} + ${this.pmds[pfn]} times as far as was noted`,
        );
  }

  private lookAtEntries(): void {
    const { changes } = this;
    const { tables, mem } = this.m;
    if (this.shadow.length < tables.entries.length) this.growTables(tables.entries.length);
    if (this.ptes.length < mem.used) this.growPages(mem.used);
    for (let i = 0; i < changes.length; i++) this.compare(changes.at(i), changes.end(i));
    for (let i = 0; i < changes.length; i++) this.levels[changes.at(i) >>> 9] = changes.level(changes.at(i) >>> 9);
    for (const table of changes.moved)
      for (let at = table * ENTRIES; at < (table + 1) * ENTRIES; at++)
        if (kindOf(this.shadow[at]) === PRESENT) this.change(pfnOf(this.shadow[at]));
    changes.clear();
  }

  /** The map counts of all pages that changed; which folios they belong to. */
  private lookAtPages(report: Findings): void {
    const { mem } = this.m;
    for (const pfn of this.changed) {
      if (mem.mapcount[pfn] !== this.ptes[pfn]) {
        report.wrong++;
        report.problems.push(`page ${pfn} has map count ${mem.mapcount[pfn]}, ${this.ptes[pfn]} entries map it`);
      }
      const folio = mem.folioOf(pfn);
      if (this.walked[folio] === this.looks || (mem.flags[folio] & ANON) === 0) continue;
      this.walked[folio] = this.looks;
      this.folios.push(folio);
    }
    this.changed.length = 0;
    this.looks++;
  }

  private walkAll(report: Findings): void {
    for (const folio of this.folios) this.walk(folio, report);
    this.folios.length = 0;
  }

  private walk(folio: Folio, report: Findings): void {
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
      report.problems.push(messageOf(error));
    }
  }

  /** Everything below a table counts as new. */
  private noteAll(table: Table, level: number): void {
    if (level <= 1) this.changes.note(table * ENTRIES, ENTRIES, level as MappingLevel);
    if (level === 0) return;
    const { entries } = this.m.tables;
    for (let at = table * ENTRIES; at < (table + 1) * ENTRIES; at++)
      if (kindOf(entries[at]) === TABLE) this.noteAll(payloadOf(entries[at]), level - 1);
  }

  private compare(first: number, end: number): void {
    const { shadow } = this;
    const { entries } = this.m.tables;
    const was = this.levels[first >>> 9];
    const level = this.changes.level(first >>> 9);
    for (let at = first; at < end; at++) {
      const before = shadow[at];
      const now = entries[at];
      if (before === now) continue;
      if (kindOf(before) === PRESENT) this.count(before, was, -1);
      if (kindOf(now) === PRESENT) this.count(now, level, 1);
      shadow[at] = now;
    }
  }

  private count(pte: Pte, level: number, by: 1 | -1): void {
    const pfn = pfnOf(pte);
    if (level === 0) this.ptes[pfn] += by;
    else this.pmds[pfn] += by;
    this.change(pfn);
  }

  private change(pfn: Pfn): void {
    if (this.seen[pfn] === this.looks) return;
    this.seen[pfn] = this.looks;
    this.changed.push(pfn);
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
    for (const field of ['ptes', 'pmds', 'seen', 'walked'] as const) {
      const larger = new Int32Array(length);
      larger.set(this[field]);
      this[field] = larger;
    }
  }
}

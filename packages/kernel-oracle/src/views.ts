import { RECORDS } from './records.js';

/** One thing seen: its type, then its words. */
export type Record = readonly number[];
/** What a look saw, as src/records.ts says. */
export type Records = readonly Record[];
/** What a view makes of a record; `id` numbers an identity again, in order of first appearance. Null: it is hidden. */
type Show = (record: Record, id: (word: number) => number) => Record | null;

/** What of a look is compared: hidden words are 0, hidden records are left out. */
export interface View {
  readonly name: string;
  /** Whether the graph of anon_vmas takes part, which the classic design alone has. */
  readonly anonVmas: boolean;
  /** The records as this view shows them. */
  show(records: Records): Records;
}

const { process, vma, link, anon, ksm, zero, swap } = RECORDS;
const same: Show = (record) => record;
const hidden: Show = () => null;

function viewOf(name: string, anonVmas: boolean, shows: readonly (readonly [{ readonly type: number }, Show])[]): View {
  const byType = new Map(shows.map(([{ type }, show]) => [type, show]));
  return {
    name,
    anonVmas,
    show(records) {
      const names = new Map<number, number>([[0, 0]]);
      const id = (word: number): number => {
        if (!names.has(word)) names.set(word, names.size);
        return names.get(word) as number;
      };
      return records.flatMap((record) => {
        const shown = (byType.get(record[0]) ?? same)(record, id);
        return shown === null ? [] : [shown];
      });
    },
  };
}

/** All that can be seen. */
export const EVERYTHING: View = { name: 'everything', anonVmas: true, show: (records) => records };

/** What a look shows of any design: anon_vmas only as a flag of a VMA, set once it was touched. */
export const ANY_DESIGN: View = viewOf('any-design', false, [
  [vma, ([type, start, end, flags, pgoff, anonVma, file]) => [type, start, end, flags, pgoff, anonVma === 0 ? 0 : 1, file]],
  [link, hidden],
  [
    anon,
    ([type, page, folio, sub, mapcount, exclusive, , index, order, entire], id) => [
      ...[type, page, id(folio), sub, mapcount, exclusive],
      ...[0, index, order, entire],
    ],
  ],
  [ksm, ([type, page, folio, mapcount], id) => [type, page, id(folio), mapcount]],
  [swap, ([type, page, entry], id) => [type, page, id(entry)]],
]);

const present = (page: number, mapcount: number): Record => [anon.type, page, 0, 0, mapcount === 1 ? 1 : 0, 0, 0, 0, 0, 0];

/**
 * What /proc shows to anybody: ranges and flags of VMAs, and which pages are there, mapped once (mapcount 1) or not (0), in swap, or
 * guards. The zero page and pages of KSM are pages like any other.
 */
export const LAYOUT: View = viewOf('layout', false, [
  [vma, ([type, start, end, flags, , , file]) => [type, start, end, flags, 0, 0, file]],
  [link, hidden],
  [anon, ([, page, , , mapcount]) => present(page, mapcount)],
  [ksm, ([, page, , mapcount]) => present(page, mapcount)],
  [zero, ([, page]) => present(page, 0)],
  [swap, ([type, page]) => [type, page, 0]],
]);

/**
 * What a look shows of a design that joins VMAs by a rule of its own: neighbours that differ in nothing but their history count as one, and
 * page offsets, which depend on what was joined, are hidden.
 */
export const ANY_MERGE_RULE: View = {
  name: 'any-merge-rule',
  anonVmas: false,
  show: (records) => joined(ANY_DESIGN.show(records)),
};

function joined(records: Records): Records {
  const shown: Record[] = [];
  let pages: Record[] = [];
  let last: number[] | null = null;
  const flush = (): void => {
    shown.push(...pages);
    [pages, last] = [[], null];
  };
  for (const record of records) {
    const [type] = record;
    if (type === process.type) {
      flush();
      shown.push(record);
    } else if (type === vma.type) {
      const [, start, end, flags, , , file] = record;
      if (last !== null && last[2] === start && last[3] === flags && last[6] === file) last[2] = end;
      else {
        last = [type, start, end, flags, 0, 0, file];
        shown.push(last);
      }
    } else pages.push(type === anon.type ? record.with(7, 0) : record);
  }
  flush();
  return shown;
}

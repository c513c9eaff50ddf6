import { type Comparison, type Cost, designUse, type Measurement } from '@rmap-lab/experiments';
import colours from 'picocolors';
import { shown } from './numbers.js';
import { csvTable, markdownTable, terminalTable } from './tables.js';

/** One line of the comparison: what, and a value for each strategy; `section` lines have none. */
interface CompareLine {
  readonly what: string;
  readonly values: readonly string[];
}

const sum = (record: Readonly<Record<string, number>>): number => Object.values(record).reduce((a, b) => a + b, 0);

/** What is shown of walks, and how it is called. */
const WALK_LINES = [
  ['candidates', 'candidates'],
  ['needed', 'candidates until all is found'],
  ['nodes', 'tree nodes, contexts'],
  ['lookups', 'look-ups'],
  ['locks', 'locks taken'],
  ['passes', 'passes'],
  ['mappings', 'mappings'],
] as const;

/** All names that any of the records has, in order of appearance. */
const namesIn = (records: readonly Readonly<Record<string, unknown>>[]): string[] => [...new Set(records.flatMap(Object.keys))];

/** What a row of the table says of a strategy as a whole. */
export function verdictOf({ failure, stopped, verify }: Measurement): string {
  if (failure !== null) return 'FAILS';
  if (stopped) return 'stopped';
  return verify.mappings === 0 ? 'nothing to find' : 'passes';
}

/** The head and the lines of the table: one column a strategy, the same lines for all. */
function compareLines({ rows, names, notRun = [] }: Comparison, useGrouping = true): { head: string[]; lines: CompareLine[] } {
  const number = (n: number): string => shown(n, useGrouping);
  const lines: CompareLine[] = [];
  const line: Line = (what, value) => {
    const text = (row: Measurement): string => {
      const figure = value(row);
      return typeof figure === 'number' ? number(figure) : figure;
    };
    lines.push({ what, values: rows.map(text) });
  };
  const section = (what: string): void => void lines.push({ what, values: [] });
  const caches = namesIn(rows.map(({ slab }) => slab));
  section('Memory: at the peak / at the end');
  for (const cache of caches) {
    const [peak, live] = [(row: Measurement) => row.slab[cache]?.peak ?? 0, (row: Measurement) => row.slab[cache]?.live ?? 0];
    const kib = (row: Measurement, objects: number): string => number((objects * (row.slab[cache]?.objectBytes ?? 0)) / 1024);
    line(`${cache}: objects`, (row) => `${number(peak(row))} / ${number(live(row))}`);
    line(`${cache}: KiB`, (row) => `${kib(row, peak(row))} / ${kib(row, live(row))}`);
  }
  for (const what of ['vma', 'mm', 'folio'] as const)
    line(`fields added to each ${what}: peak KiB`, ({ added }) => added[what] / 1024);
  line("the design's objects together: peak KiB", ({ own }) => own.bytes / 1024);
  line('with its fields in other structs: peak KiB', ({ own }) => own.together.bytes / 1024);
  // Who failed has not met all of them.
  const { marks = [] } = rows.toSorted((a, b) => b.marks.length - a.marks.length)[0] ?? {};
  for (const [i, { mark, processes }] of marks.entries()) {
    section(`Memory at '${mark}', ${number(processes)} ${processes === 1 ? 'process' : 'processes'}`);
    markLines(i, processes, caches, line);
  }
  for (const what of ['fork', 'mremap'] as const) {
    if (rows.every((row) => row[what].operations === 0)) continue;
    section(`Cost of one ${what}`);
    costLines(rows, (row) => row[what], line);
  }
  for (const kind of ['exclusive', 'shared'] as const) {
    section(`Walks of ${kind} folios: median / p99 / largest`);
    line('folios walked', ({ walks }) => walks[kind].sampled);
    for (const [what, name] of WALK_LINES)
      line(name, ({ walks: { [kind]: its } }) =>
        its.sampled === 0 ? '-' : [its[what].p50, its[what].p99, its[what].max].map(number).join(' / '),
      );
  }
  section('Locks taken');
  for (const lock of namesIn(rows.map(({ locks }) => locks))) {
    line(lock, ({ locks }) => (locks[lock]?.reads ?? 0) + (locks[lock]?.writes ?? 0));
  }
  section('Effects');
  line('folios rewritten', ({ counts }) => counts['folio-rewritten'] ?? 0);
  line('zombie VMAs: peak / end', ({ zombies }) => `${number(zombies.peak)} / ${number(zombies.end)}`);
  line('VMAs merged', ({ merges }) => merges);
  line('VMAs mapped: peak', ({ vmas }) => vmas.peak);
  section('Verification');
  line('folios walked', ({ verify }) => verify.folios);
  line('mappings', ({ verify }) => verify.mappings);
  line('missed', ({ verify }) => verify.missed);
  line('wrong', ({ verify }) => verify.wrong);
  line('verdict', verdictOf);
  if (notRun.length > 0) section('Interrupted');
  for (const name of notRun) line(`${name} was not run`, () => '');
  return { head: ['', ...names], lines };
}

type Line = (what: string, value: (row: Measurement) => number | string) => void;

/** Live objects of each cache at a mark, and what the design itself adds to each process. A run that ended before has none. */
function markLines(i: number, processes: number, caches: readonly string[], line: Line): void {
  const at = (value: (row: Measurement) => number) => (row: Measurement) => (row.marks[i] === undefined ? '-' : value(row));
  for (const cache of caches)
    line(
      `${cache}: live objects`,
      at(({ marks }) => marks[i].live[cache] ?? 0),
    );
  if (processes === 0) return;
  line(
    "the design's objects per process",
    at((row) => designUse(row, i).objects / processes),
  );
  line(
    "the design's slab bytes per process",
    at((row) => designUse(row, i).bytes / processes),
  );
  line(
    'its fields in other structs: bytes per process',
    at((row) => designUse(row, i).added / processes),
  );
}

function costLines(rows: readonly Measurement[], of: (row: Measurement) => Cost, line: Line): void {
  const each = (n: number, row: Measurement): number | string => (of(row).operations === 0 ? '-' : n / of(row).operations);
  line('operations', (row) => of(row).operations);
  for (const cache of namesIn(rows.map((row) => of(row).allocations)))
    line(`${cache} allocated`, (row) => each(of(row).allocations[cache] ?? 0, row));
  line('locks taken', (row) => each(sum(of(row).locks), row));
  for (const name of namesIn(rows.map((row) => of(row).primitives)))
    line(name, (row) => each(of(row).primitives[name] ?? 0, row));
}

/** What was compared; an interrupted comparison is marked. */
export const compareTitle = ({ workload, partial }: Comparison): string => (partial ? `${workload} (partial)` : workload);

/** The table for a terminal, with the witness of each strategy that fails below, and what the trace lacks. */
export function compareTable(comparison: Comparison): string {
  const { head, lines } = compareLines(comparison);
  const rows = lines.map(({ what, values }) =>
    values.length === 0
      ? [{ content: colours.bold(what), colSpan: head.length }]
      : [what, ...values.map((value) => (value === 'FAILS' ? colours.red(value) : value))],
  );
  return [colours.bold(compareTitle(comparison)), terminalTable(head, rows), ...notes(comparison)].join('\n');
}

/** The same as a table in Markdown. */
export function compareMarkdown(comparison: Comparison): string {
  const { head, lines } = compareLines(comparison);
  const rows = lines.map(({ what, values }) =>
    values.length === 0 ? [`**${what}**`, ...head.slice(1).map(() => '')] : [what, ...values],
  );
  return [
    `### ${compareTitle(comparison)}`,
    '',
    markdownTable(head, rows),
    '',
    ...notes(comparison).map((text) => `    ${text.replaceAll('\n', '\n    ')}`),
  ].join('\n');
}

/** One line a figure: section, figure, and a column for each strategy. */
export function compareCsv(comparison: Comparison): string {
  const { head, lines } = compareLines(comparison, false);
  let section = '';
  const rows: string[][] = [];
  for (const { what, values } of lines) {
    if (values.length === 0) section = what;
    else rows.push([section, what, ...values]);
  }
  const note = (what: string, texts: readonly (string | null)[]): void => {
    if (texts.some((text) => text !== null)) rows.push(['Verification', what, ...texts.map((text) => text ?? '')]);
  };
  note(
    'first witness',
    comparison.rows.map(({ failure }) => failure),
  );
  note(
    'not in the trace',
    comparison.rows.map(({ leftOut }) => leftOut),
  );
  return csvTable(['section', 'figure', ...head.slice(1)], rows);
}

/** What is to be said below the table: what the trace lacks, and witnesses. */
const notes = ({ rows, names }: Comparison): string[] => [
  ...new Set(rows.flatMap(({ leftOut }) => (leftOut === null ? [] : [`not in the trace: ${leftOut}`]))),
  ...rows.flatMap(({ failure }, i) => (failure === null ? [] : [`${names[i]} fails: ${failure}`])),
];

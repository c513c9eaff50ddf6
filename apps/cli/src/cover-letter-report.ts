import type { CoverLetterLine, Remainder } from './cover-letter.js';
import { shown } from './numbers.js';
import { csvTable, markdownTable, terminalTable } from './tables.js';

/** All that `--preset cover-letter` says beside the comparison itself. */
export interface CoverLetter {
  readonly lines: readonly CoverLetterLine[];
  readonly remainders: readonly Remainder[];
  /** Recorded workloads, at the peak of each cache. */
  readonly recorded: readonly { readonly workload: string; readonly lines: readonly CoverLetterLine[] }[];
}

const percent = (n: number): string => `${n >= 0 ? '+' : ''}${n.toFixed(1)} %`;

interface Section {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** How many of the first columns are words. */
  readonly texts: number;
  readonly note?: string;
}

function sectionsOf({ lines, remainders, recorded }: CoverLetter, useGrouping = true): readonly Section[] {
  const whole = (n: number): string => shown(Math.round(n), useGrouping);
  return [
    {
      title: 'The headline of the ANON_VMA_LAZY cover letter',
      head: ['after', 'cache', 'cover letter', 'here', 'objects before', 'objects after'],
      rows: lines.map((l) => [
        l.mark,
        l.cache,
        l.theirs === null ? '' : percent(l.theirs),
        percent(l.ours),
        whole(l.before),
        whole(l.after),
      ]),
      texts: 2,
      note: 'The workload and its parameters were chosen beforehand and are assumptions: see `android` in packages/workloads.',
    },
    {
      title: 'Whose anon_vmas are left',
      head: ['after', 'left', 'of the zygote', 'of each app that forks', 'apps that fork', 'as many as would give theirs'],
      rows: remainders.map((r) => [
        r.mark,
        whole(r.left),
        whole(r.zygote),
        r.perForkingApp === null ? '-' : whole(r.perForkingApp),
        whole(r.forkingApps),
        r.forkingAppsForTheirs?.toFixed(1) ?? '-',
      ]),
      texts: 1,
      note: 'A process that forks once gives every VMA an anon_vma. So what is left is a count of forking processes; the letter does not say how many there were.',
    },
    {
      title: 'The same on recorded programs, at the peak of each cache',
      head: ['workload', 'cache', 'change', 'objects before', 'objects after'],
      rows: recorded.flatMap(({ workload, lines: its }) =>
        its.map((l) => [workload, l.cache, percent(l.ours), whole(l.before), whole(l.after)]),
      ),
      texts: 2,
    },
  ];
}

/** The tables for a terminal. */
export const coverLetterTables = (letter: CoverLetter): string =>
  sectionsOf(letter)
    .map(({ title, head, rows, texts, note }) => [title, terminalTable(head, rows, texts), ...(note ? [note] : [])].join('\n'))
    .join('\n\n');

/** The same in Markdown. */
export const coverLetterMarkdown = (letter: CoverLetter): string =>
  sectionsOf(letter)
    .map(({ title, head, rows, texts, note }) =>
      [`### ${title}`, markdownTable(head, rows, texts), ...(note ? [note] : [])].join('\n\n'),
    )
    .join('\n\n');

/** The same as comma-separated values, each table with a head of its own. */
export const coverLetterCsv = (letter: CoverLetter): string =>
  sectionsOf(letter, false)
    .map(({ title, head, rows }) =>
      csvTable(
        ['section', ...head],
        rows.map((row) => [title, ...row]),
      ),
    )
    .join('\n\n');

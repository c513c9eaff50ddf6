import Table from 'cli-table3';
import type { CoverLetterLine, Remainder } from './cover-letter.js';

/** All that `--preset cover-letter` says beside the comparison itself. */
export interface CoverLetter {
  readonly lines: readonly CoverLetterLine[];
  readonly remainders: readonly Remainder[];
  /** Recorded workloads, at the peak of each cache. */
  readonly recorded: readonly { readonly workload: string; readonly lines: readonly CoverLetterLine[] }[];
}

const whole = (n: number): string => Math.round(n).toLocaleString('en-US');
const percent = (n: number): string => `${n >= 0 ? '+' : ''}${n.toFixed(1)} %`;

function table(head: string[], rows: string[][], texts: number): string {
  const made = new Table({
    head,
    colAligns: head.map((_, i) => (i < texts ? 'left' : 'right')),
    style: { head: [], border: [], compact: true },
  });
  made.push(...rows);
  return made.toString();
}

/** The tables for a terminal. */
export function coverLetterReport({ lines, remainders, recorded }: CoverLetter): string {
  return [
    'The headline of the ANON_VMA_LAZY cover letter',
    table(
      ['after', 'cache', 'cover letter', 'here', 'objects before', 'objects after'],
      lines.map((l) => [
        l.mark,
        l.cache,
        l.theirs === null ? '' : percent(l.theirs),
        percent(l.ours),
        whole(l.before),
        whole(l.after),
      ]),
      2,
    ),
    'The workload and its parameters were chosen beforehand and are assumptions: see `android` in packages/workloads.',
    '',
    'Whose anon_vmas are left',
    table(
      ['after', 'left', 'of the zygote', 'of each app that forks', 'apps that fork', 'as many as would give theirs'],
      remainders.map((r) => [
        r.mark,
        whole(r.left),
        whole(r.zygote),
        whole(r.perForkingApp),
        whole(r.forkingApps),
        r.forkingAppsForTheirs.toFixed(1),
      ]),
      1,
    ),
    'A process that forks once gives every VMA an anon_vma. So what is left is a count of forking processes; the letter does not say how many there were.',
    '',
    'The same on recorded programs, at the peak of each cache',
    table(
      ['workload', 'cache', 'change', 'objects before', 'objects after'],
      recorded.flatMap(({ workload, lines: its }) =>
        its.map((l) => [workload, l.cache, percent(l.ours), whole(l.before), whole(l.after)]),
      ),
      2,
    ),
  ].join('\n');
}

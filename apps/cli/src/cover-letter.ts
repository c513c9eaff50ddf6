import type { Comparison, MarkUse, Measurement } from '@rmap-lab/experiments';
import Table from 'cli-table3';

/** What the cover letter of ANON_VMA_LAZY (27 May 2026) reports: active KiB of slab caches on a phone, before and after. */
const REPORTED = {
  boot: { vm_area_struct: [117_035, 118_176], anon_vma_chain: [18_865.8, 8_112.06], anon_vma: [20_426.4, 613.75] },
  apps: { vm_area_struct: [196_873, 197_345], anon_vma_chain: [31_477.1, 15_576.8], anon_vma: [33_280, 2_648.12] },
} as const;

/** What `--preset cover-letter` runs: the workload and the two sides, before and after. */
export const COVER_LETTER = { workload: 'android', before: 'anon-vma', after: 'anon-vma-lazy:intended' } as const;

/** One cache at one mark: theirs and ours, as a change in percent. */
export interface CoverLetterLine {
  readonly mark: string;
  readonly cache: string;
  readonly theirs: number;
  readonly ours: number;
  readonly before: number;
  readonly after: number;
}

/** Ours beside theirs; objects of `before` and `after` are ours. */
export function coverLetterLines({ rows: [before, after] }: Comparison): CoverLetterLine[] {
  return Object.entries(REPORTED).flatMap(([mark, caches]) =>
    Object.entries(caches).map(([cache, [was, is]]) => {
      const [a, b] = [objects(before, mark, cache), objects(after, mark, cache)];
      return { mark, cache, theirs: (is / was - 1) * 100, ours: a === 0 ? 0 : (b / a - 1) * 100, before: a, after: b };
    }),
  );
}

const objects = ({ marks }: Measurement, name: string, cache: string): number =>
  marks.find(({ mark }: MarkUse) => mark === name)?.live[cache] ?? 0;

const percent = (n: number): string => `${n >= 0 ? '+' : ''}${n.toFixed(1)} %`;

/** The table for a terminal. */
export function coverLetterTable(comparison: Comparison): string {
  const table = new Table({
    head: ['after', 'cache', 'cover letter', 'here', 'objects before', 'objects after'],
    colAligns: ['left', 'left', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  });
  for (const { mark, cache, theirs, ours, before, after } of coverLetterLines(comparison)) {
    table.push([mark, cache, percent(theirs), percent(ours), before.toLocaleString('en-US'), after.toLocaleString('en-US')]);
  }
  const parameters =
    'The workload and its parameters were chosen beforehand and are assumptions: see `android` in packages/workloads.';
  return `The headline of the ANON_VMA_LAZY cover letter\n${table.toString()}\n${parameters}`;
}

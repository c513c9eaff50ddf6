import type { Comparison, MarkUse, Measurement } from '@rmap-lab/experiments';

/** What the cover letter of ANON_VMA_LAZY (27 May 2026) reports: active KiB of slab caches on a phone, before and after. */
const REPORTED: Readonly<Record<string, Readonly<Record<string, readonly [before: number, after: number]>>>> = {
  boot: { vm_area_struct: [117_035, 118_176], anon_vma_chain: [18_865.8, 8_112.06], anon_vma: [20_426.4, 613.75] },
  apps: { vm_area_struct: [196_873, 197_345], anon_vma_chain: [31_477.1, 15_576.8], anon_vma: [33_280, 2_648.12] },
};
const CACHES = ['vm_area_struct', 'anon_vma_chain', 'anon_vma'] as const;

/** What `--preset cover-letter` runs: the workload, the same where no app forks, and the two sides. */
export const COVER_LETTER = {
  workload: 'android',
  withoutHelpers: { helperEvery: 1_000_000 },
  before: 'anon-vma',
  after: 'anon-vma-lazy:intended',
} as const;

/** One cache at one mark, or at its own peak where the workload has no marks: as a change in percent, of objects. */
export interface CoverLetterLine {
  readonly mark: string;
  readonly cache: string;
  /** null: of another workload they say nothing. */
  readonly theirs: number | null;
  readonly ours: number;
  readonly before: number;
  readonly after: number;
}

/** The lines of the workload whose marks are those of the letter. */
export function coverLetterLines({ rows: [before, after] }: Comparison): CoverLetterLine[] {
  return Object.entries(REPORTED).flatMap(([mark, caches]) =>
    CACHES.map((cache) => {
      const [was, is] = caches[cache];
      const theirs = (is / was - 1) * 100;
      return line(mark, cache, theirs, objects(before, mark, cache), objects(after, mark, cache));
    }),
  );
}

/** The lines of any other workload: each cache at its peak. */
export const peakLines = ({ rows: [before, after] }: Comparison): CoverLetterLine[] =>
  CACHES.map((cache) => line('peak', cache, null, before.slab[cache]?.peak ?? 0, after.slab[cache]?.peak ?? 0));

const line = (mark: string, cache: string, theirs: number | null, before: number, after: number): CoverLetterLine => ({
  mark,
  cache,
  theirs,
  ours: before === 0 ? 0 : (after / before - 1) * 100,
  before,
  after,
});

const markOf = ({ marks }: Measurement, name: string): MarkUse | undefined => marks.find(({ mark }) => mark === name);
const objects = (run: Measurement, name: string, cache: string): number => markOf(run, name)?.live[cache] ?? 0;

/** Who holds the `anon_vma`s that are left at a mark, and what it would take to have as few as they. */
export interface Remainder {
  readonly mark: string;
  readonly left: number;
  /** What is left where no app forks: those of the zygote's VMAs, which it upgraded at its first fork. */
  readonly zygote: number;
  /** Apps that forked a helper, and so upgraded all their VMAs, inherited and own. */
  readonly forkingApps: number;
  /** null: no app forks, so nothing is known of one. */
  readonly perForkingApp: number | null;
  /** How many such apps would leave the share that the letter reports. */
  readonly forkingAppsForTheirs: number | null;
}

/** `without`: the same workload in which no app forks. */
export function remainders(comparison: Comparison, without: Comparison): Remainder[] {
  const [before, after] = comparison.rows;
  const [, alone] = without.rows;
  return Object.entries(REPORTED).map(
    ([
      mark,
      {
        anon_vma: [was, is],
      },
    ]) => {
      const [left, zygote] = [objects(after, mark, 'anon_vma'), objects(alone, mark, 'anon_vma')];
      const forkingApps = (markOf(after, mark)?.processes ?? 0) - (markOf(alone, mark)?.processes ?? 0);
      const perForkingApp = forkingApps === 0 ? null : (left - zygote) / forkingApps;
      const theirs = (is / was) * objects(before, mark, 'anon_vma');
      const forkingAppsForTheirs = perForkingApp === null ? null : (theirs - zygote) / perForkingApp;
      return { mark, left, zygote, forkingApps, perForkingApp, forkingAppsForTheirs };
    },
  );
}

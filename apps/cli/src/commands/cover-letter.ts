import { type CompareOptions, type Comparison, compare } from '@rmap-lab/experiments';
import { openWorkload, workloads } from '@rmap-lab/workloads';
import { COVER_LETTER, coverLetterLines, peakLines, remainders } from '../cover-letter.js';
import type { CoverLetter } from '../cover-letter-report.js';
import { loadStrategy } from '../load-strategy.js';

type Rest = Omit<CompareOptions, 'workload' | 'contenders'>;
type Parameters = Readonly<Record<string, number>>;

/** The comparison of the cover letter, what explains the difference, and the same on every recorded workload. An interrupted run has no letter. */
export async function runCoverLetter(
  parameters: Parameters,
  rest: Rest,
): Promise<{ comparison: Comparison; letter?: CoverLetter }> {
  const both = async (workload: string, given: Parameters = {}): Promise<Comparison> =>
    compare({
      ...rest,
      workload: () => openWorkload(workload, given),
      contenders: [await loadStrategy(COVER_LETTER.before), await loadStrategy(COVER_LETTER.after)],
    });
  const comparison = await both(COVER_LETTER.workload, parameters);
  const without = await both(COVER_LETTER.workload, { ...parameters, ...COVER_LETTER.withoutHelpers });
  const recorded: { workload: string; comparison: Comparison }[] = [];
  for (const { name, kind } of await workloads())
    if (kind === 'recorded') recorded.push({ workload: name, comparison: await both(name) });
  if (rest.signal?.aborted) return { comparison: { notRun: [], ...comparison, partial: true } };
  const letter = {
    lines: coverLetterLines(comparison),
    remainders: remainders(comparison, without),
    recorded: recorded.map((each) => ({ workload: each.workload, lines: peakLines(each.comparison) })),
  };
  return { comparison, letter };
}

import { type CaseResult, type ConformanceReport, decides } from '../run.js';
import { explain } from './explain.js';

/** The report in the Test Anything Protocol, version 14. */
export function tap({ results, of }: ConformanceReport, command: string): string {
  const lines = results.flatMap((result, i) => {
    const { id, title, outcome } = result;
    const line = `${outcome === 'failed' ? 'not ok' : 'ok'} ${i + 1} - ${id}: ${title.replaceAll('#', '\\#')}${directive(result)}`;
    if (outcome !== 'failed') return [line];
    return [
      line,
      '  ---',
      '  message: |',
      ...explain(result, command)
        .split('\n')
        .map((text) => `    ${text}`),
      '  ...',
    ];
  });
  const bailed = results.length < of ? [`Bail out! ${results.length} of ${of} cases were run`] : [];
  return ['TAP version 14', `1..${of}`, ...lines, ...bailed].join('\n');
}

/** What keeps a consumer from counting it: as passed, or, for what decides nothing, as failed. */
function directive(result: CaseResult): string {
  const { outcome, strength } = result;
  if (outcome === 'refused' || outcome === 'unverified') return ` # SKIP ${outcome}`;
  return outcome === 'failed' && !decides(result) ? ` # TODO ${strength}` : '';
}

import type { ConformanceReport } from '../run.js';
import { explain } from './explain.js';

/** The report in the Test Anything Protocol, version 14. */
export function tap({ results }: ConformanceReport, command: string): string {
  const lines = results.flatMap((result, i) => {
    const { id, title, outcome } = result;
    const directive = outcome === 'refused' || outcome === 'unverified' ? ` # SKIP ${outcome}` : '';
    const line = `${outcome === 'failed' ? 'not ok' : 'ok'} ${i + 1} - ${id}: ${title.replaceAll('#', '\\#')}${directive}`;
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
  return ['TAP version 14', `1..${results.length}`, ...lines].join('\n');
}

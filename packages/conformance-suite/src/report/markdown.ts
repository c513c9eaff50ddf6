import type { ConformanceReport } from '../run.js';
import { documentOf } from './document.js';
import { explain } from './explain.js';

/** The report for a README or a pull request. */
export function markdown(report: ConformanceReport, command: string): string {
  const { results, of } = report;
  const { levels, score } = documentOf(report);
  const rows = Object.entries(levels).map(
    ([level, { passed, failed, refused, unverified }]) => `| ${level} | ${passed} | ${failed} | ${refused} | ${unverified} |`,
  );
  const every = results.filter(({ everyInterleaving }) => everyInterleaving).length;
  const failures = results.filter(({ outcome }) => outcome === 'failed');
  return [
    `### Conformance of ${report.strategy}`,
    '',
    `${report.conforms ? 'Conforms' : 'Does not conform'}: ${score.passed} passed, ${score.failed} failed, ${score.refused} refused, ${score.unverified} unverified (seed ${report.seed}).`,
    ...(results.length < of ? [`Not run to the end: ${results.length} of ${of} cases.`] : []),
    '',
    '| level | passed | failed | refused | unverified |',
    '| --- | ---: | ---: | ---: | ---: |',
    ...rows,
    ...(every === 0 ? [] : ['', `Of the concurrent cases ${every} passed in every interleaving.`]),
    ...failures.flatMap((result) => [
      '',
      `#### ${result.id} (${result.strength})`,
      '',
      result.title,
      '',
      ...fenced(explain(result, command)),
    ]),
  ].join('\n');
}

function fenced(text: string): readonly string[] {
  let fence = '```';
  while (text.includes(fence)) fence += '`';
  return [`${fence}text`, text, fence];
}

import { LEVELS } from '../case.js';
import { type CaseResult, type ConformanceReport, decides } from '../run.js';
import { explain } from './explain.js';

const ESCAPES: Readonly<Record<string, string>> = { '<': '&lt;', '>': '&gt;', '&': '&amp;', '"': '&quot;', '\n': '&#10;' };
const escaped = (text: string): string => text.replace(/[<>&"\n]/g, (character) => ESCAPES[character]);

/** The report as JUnit XML: a test suite a level. */
export function junit({ strategy, results, of, seconds }: ConformanceReport, command: string): string {
  const suites = LEVELS.map((level) => [level, results.filter((result) => result.level === level)] as const).filter(
    ([, of]) => of.length > 0,
  );
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="${escaped(strategy)}" ${counts(results)} time="${seconds.toFixed(3)}">`,
    ...(results.length < of ? [`  <!-- ${results.length} of ${of} cases were run -->`] : []),
    ...suites.flatMap(([level, of]) => [
      `  <testsuite name="${level}" ${counts(of)}>`,
      ...of.map((result) => testCase(result, command)),
      '  </testsuite>',
    ]),
    '</testsuites>',
  ].join('\n');
}

function counts(results: readonly CaseResult[]): string {
  const failures = results.filter(decides).length;
  const skipped = results.filter(({ outcome }) => outcome !== 'passed').length - failures;
  return `tests="${results.length}" failures="${failures}" skipped="${skipped}"`;
}

function testCase(result: CaseResult, command: string): string {
  const { id, title, outcome, milliseconds } = result;
  const head = `    <testcase classname="${id}" name="${escaped(title)}" time="${(milliseconds / 1000).toFixed(4)}"`;
  if (outcome === 'passed') return `${head}/>`;
  const message = result.message ?? '';
  const inner = decides(result)
    ? `<failure message="${escaped(message.split('\n')[0])}">${escaped(explain(result, command))}</failure>`
    : `<skipped message="${escaped(`${outcome === 'failed' ? result.strength : outcome}: ${message}`)}"/>`;
  return `${head}>${inner}</testcase>`;
}

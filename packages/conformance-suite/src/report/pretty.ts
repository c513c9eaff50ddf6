import colours from 'picocolors';
import type { CaseResult, ConformanceReport } from '../run.js';
import { documentOf } from './document.js';
import { explain } from './explain.js';

/** Failures that are shown in full; more would bury them. */
const SHOWN = 5;

/** Others that are named; all of a new strategy's would push those that are shown off the screen. */
const NAMED = 20;

/** The report for a terminal. */
export function pretty(report: ConformanceReport, command: string): string {
  const { levels, score } = documentOf(report);
  const width = Math.max(...Object.keys(levels).map(({ length }) => length), 0);
  const rows = Object.entries(levels).map(([level, { passed, failed, refused, unverified }]) => {
    const every = report.results.filter((each) => each.level === level && each.everyInterleaving).length;
    const more = [
      every > 0 && `${every} of them in every interleaving`,
      failed > 0 && colours.red(`${failed} failed`),
      refused > 0 && `${refused} refused`,
      unverified > 0 && `${unverified} unverified`,
    ];
    return `  ${level.padEnd(width)}  ${[colours.green(`${passed} passed`), ...more.filter(Boolean)].join(', ')}`;
  });
  const failures = report.results.filter(({ outcome }) => outcome === 'failed');
  const show = (result: CaseResult): string =>
    `\n${colours.red('failed')} ${colours.bold(result.id)} (${result.strength}): ${result.title}\n${explain(result, command)}`;
  const shown = mostTelling(failures).slice(0, SHOWN);
  const rest = failures.filter((each) => !shown.includes(each));
  const { results, of } = report;
  const verdict = report.conforms ? colours.green('conforms') : colours.red('does not conform');
  const partial = results.length < of ? colours.yellow(` so far (${results.length} of ${of} cases were run)`) : '';
  return [
    `${colours.bold(report.strategy)} ${verdict}${partial}`,
    ...rows,
    ...shown.map(show),
    ...(rest.length > 0 ? ['', `and ${rest.length} more: ${named(rest)}`] : []),
    '',
    `${score.passed} of ${results.length} cases passed in ${report.seconds.toFixed(1)} s (seed ${report.seed})`,
  ].join('\n');
}

const named = (failures: readonly CaseResult[]): string =>
  failures
    .slice(0, NAMED)
    .map(({ id }) => id)
    .join(', ') + (failures.length > NAMED ? ', ... (--reporter tap names all)' : '');

/** In the order in which they are worth a look: cases of single hooks and of costs have words and numbers only. */
function mostTelling(failures: readonly CaseResult[]): readonly CaseResult[] {
  const hasOperations = ({ code, evidence }: CaseResult): boolean => code !== null || evidence.schedule !== undefined;
  return [...varied(failures.filter(hasOperations)), ...varied(failures.filter((each) => !hasOperations(each)))];
}

/** Of each broken rule one, then the others: five times the same rule would hide what else is wrong. */
function varied(failures: readonly CaseResult[]): readonly CaseResult[] {
  const firsts = failures.filter(({ broken }, i) => i === failures.findIndex((each) => each.broken === broken));
  return [...new Set([...firsts, ...failures])];
}

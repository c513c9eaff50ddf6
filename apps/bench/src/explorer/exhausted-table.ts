import Table from 'cli-table3';
import colors from 'picocolors';
import type { Result } from './exhaust-one.js';

/** The preemptions of all schedules that were run; -1: not even all without one. */
const boundOf = ({ bound }: Result): number => Number(/^at most (\d+)/.exec(bound)?.[1] ?? -1);

const HEAD = ['strategy', 'scenarios', 'every interleaving', 'broken', '2 preemptions', '1', '0', 'fewer'];

/** How much is known of all scenarios under each strategy: one column for each bound that was the last one reached. */
export function exhaustedTable(results: readonly Result[], strategies: readonly string[]): string {
  const table = new Table({
    head: HEAD.map((name) => colors.bold(name)),
    style: { head: [], border: [], compact: true },
    colAligns: ['left', ...HEAD.slice(1).map(() => 'right' as const)],
  });
  for (const strategy of strategies) {
    const own = results.filter((result) => result.strategy === strategy);
    const broken = own.filter(({ rule }) => rule !== null);
    const exhausted = own.filter((result) => result.exhausted && result.rule === null);
    const rest = own.filter((result) => !result.exhausted && result.rule === null);
    const upTo = (bound: number): number => rest.filter((result) => boundOf(result) === bound).length;
    table.push([strategy, own.length, exhausted.length, broken.length, upTo(2), upTo(1), upTo(0), upTo(-1)]);
  }
  return table.toString();
}

/** What is broken, and what was not explored to the end, a line each. */
export const remarks = (results: readonly Result[]): string =>
  results
    .filter(({ exhausted, rule }) => rule !== null || !exhausted)
    .map(({ strategy, scenario, bound, rule }) => `${strategy} ${scenario}: ${rule === null ? bound : `breaks ${rule}`}`)
    .join('\n');

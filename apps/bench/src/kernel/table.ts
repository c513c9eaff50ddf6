import Table from 'cli-table3';
import colors from 'picocolors';
import type { KernelRow } from './contest.js';

/** What the table says. */
interface Report {
  readonly release: string;
  readonly rounds: number;
  readonly rows: readonly KernelRow[];
  readonly missing: readonly { readonly id: string; readonly reason: string }[];
}

/** The rows for people: nanoseconds per operation, and how many times faster the model is. */
export function kernelTable({ release, rounds, rows, missing }: Report): string {
  const strategies = rows[0]?.models.map(({ strategy }) => strategy) ?? [];
  const table = new Table({
    head: ['row', 'operations', 'kernel', ...strategies.flatMap((name) => [name, 'faster by']), 'unit'].map(colors.bold),
    style: { head: [], border: [], compact: true },
    colAligns: ['left', 'right', 'right', ...strategies.flatMap(() => ['right', 'right'] as const), 'left'],
  });
  for (const { id, operation, n, kernel, models } of rows) {
    const sides = models.flatMap(({ ns, ratio }) => {
      const verdict = ratio >= 1 ? colors.green : colors.red;
      return [nanoseconds(ns), verdict(`${ratio.toPrecision(3)}x`)];
    });
    table.push([id, n.toLocaleString('en'), nanoseconds(kernel.ns), ...sides, `ns/${operation}`]);
  }
  const apart = rows.filter(({ kernel, models }) => models.some(({ swapped }) => swapped !== kernel.swapped));
  return [
    `Linux ${release} and the model, the same operations in turns; medians of ${rounds} rounds`,
    table.toString(),
    ...apart.map(({ id, kernel, models }) => {
      const theirs = models.map(({ strategy, swapped }) => `${swapped} under ${strategy}`).join(', ');
      return `${id}: of its pages the kernel put ${kernel.swapped} into swap, the model ${theirs}`;
    }),
    ...missing.map(({ id, reason }) => `missing: ${id}: ${reason}`),
  ].join('\n');
}

const nanoseconds = (n: number): string => n.toLocaleString('en-US', { maximumFractionDigits: n < 100 ? 1 : 0 });

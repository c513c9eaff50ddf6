import { type OracleReport, sideBySide } from '@rmap-lab/kernel-oracle';
import { shown } from './numbers.js';

/** The report as the document that `--json` prints. */
export const oracleDocument = ({
  operations,
  observations,
  differences,
  known,
  columns,
  missing,
  seed,
  byKind,
  seconds,
  partial,
}: OracleReport) => ({
  schema: 'rmap-lab/oracle@1',
  operations,
  observations,
  differences: differences.length,
  known,
  columns,
  missing,
  operationsPerSecond: Math.round(operations / seconds),
  seed,
  byKind,
  ...(partial ? { partial } : {}),
});

/** The report for people. */
export function oracleText({
  operations,
  observations,
  differences,
  known,
  columns,
  missing,
  notes,
  seed,
  seconds,
  judge,
  partial,
}: OracleReport): string {
  const lines = [
    ...(partial ? ['interrupted: this is of what was compared by then'] : []),
    `${shown(operations)} operations and ${shown(observations)} looks compared with ${judge}, ${differences.length} differences` +
      `${known > 0 ? `, ${known} known` : ''}${seed === null ? '' : `; seed ${seed}`}, ${shown(Math.round(operations / seconds))} operations/s`,
    `compared: ${columns.join('; ')}`,
    ...missing.map((column) => `not seen: ${column}`),
    ...notes,
  ];
  return `${lines.join('\n')}\n`;
}

/** Each difference side by side, on standard error. */
export function printDifferences({ differences }: OracleReport): void {
  for (const difference of differences) process.stderr.write(`${sideBySide(difference)}\n\n`);
}

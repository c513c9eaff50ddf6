import Table from 'cli-table3';
import colors from 'picocolors';
import type { Row } from './row.js';

const VERDICTS = {
  aim: colors.green('aim reached'),
  floor: colors.yellow('floor reached'),
  no: colors.red('not reached'),
};

/** The rows for people. */
export function table(rows: readonly Row[]): string {
  const table = new Table({
    head: ['row', 'n', 'ours', 'other', 'unit', 'compared with', 'ours is better by', 'floor / aim', ''].map(colors.bold),
    style: { head: [], border: [], compact: true },
    colAligns: ['left', 'right', 'right', 'right', 'left', 'left', 'right', 'right', 'left'],
  });
  for (const { id, n, ours, other, unit, otherName, ratio, target, reached } of rows) {
    const suffix = target?.of === 'ratio' ? 'x' : '';
    table.push([
      id,
      n.toLocaleString('en'),
      short(ours),
      short(other),
      unit,
      otherName,
      ratio === null ? '' : `${ratio.toPrecision(3)}x`,
      target === null ? '' : `${short(target.floor)}${suffix} / ${short(target.aim)}${suffix}`,
      reached === null ? '' : VERDICTS[reached],
    ]);
  }
  const notes = rows.filter(({ note }) => note !== '').map(({ id, note }) => `${id}: ${note}`);
  return [table.toString(), ...notes].join('\n');
}

/** One line for each row, one column for each strategy: its figure, and how many times better than what it was raced against. */
export function sideBySide(rows: readonly Row[], strategies: readonly string[]): string {
  const table = new Table({
    head: ['row', 'n', ...strategies, 'unit', 'compared with'].map((text) => colors.bold(text)),
    style: { head: [], border: [], compact: true },
    colAligns: ['left', 'right', ...strategies.map(() => 'right' as const), 'left', 'left'],
  });
  for (const first of rows.filter(({ strategy }) => strategy === strategies[0])) {
    const figures = strategies.map((name) => {
      const { ours, ratio } = rows.find(({ id, strategy }) => id === first.id && strategy === name)!;
      return ratio === null ? short(ours) : `${short(ours)} (${ratio.toPrecision(3)}x)`;
    });
    table.push([first.id, first.n.toLocaleString('en'), ...figures, first.unit, first.otherName]);
  }
  return table.toString();
}

/** Three digits: `12.3 M`, `45.6`, `0.123`. */
function short(value: number): string {
  if (Math.abs(value) >= 1e6) return `${trim(value / 1e6)} M`;
  if (Math.abs(value) >= 1e4) return `${trim(value / 1e3)} k`;
  return trim(value);
}

const trim = (value: number): string => (Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3))));

import Table from 'cli-table3';
import colours from 'picocolors';
import { shown } from './numbers.js';
import type { RunDocument } from './run-schema.js';

function table(title: string, head: string[], rows: (string | number)[][]): string {
  const aligned = new Table({
    head,
    colAligns: head.map((_, i) => (i === 0 ? 'left' : 'right')),
    style: { head: [], border: [], compact: true },
  });
  aligned.push(...rows.map((row) => row.map((cell) => (typeof cell === 'number' ? shown(cell) : cell))));
  return `${colours.bold(title)}\n${aligned.toString()}`;
}

/** The tables of one run, for a terminal. */
export function runReport(run: RunDocument): string {
  const { operations, replay, slab, locks, walks, verify } = run;
  const kinds = Object.entries(operations.byKind).sort(([, a], [, b]) => b - a);
  const slabRows = Object.entries(slab).map(([name, c]) => [
    name,
    c.objectBytes,
    c.live,
    c.peak,
    c.peak * c.objectBytes,
    c.allocated,
  ]);
  const lockRows = Object.entries(locks).map(([name, c]) => [name, c.reads, c.writes, c.contended]);
  const { p50, p99, max } = walks.candidates;
  const right = verify.missed === 0 && verify.wrong === 0;
  const found = verify.mappings === 0 ? 'no page was mapped, so nothing had to be found; every' : 'every mapping found, every';
  const verdict = right ? colours.green(`${found} invariant held`) : colours.red('FAILED');
  return [
    `${colours.bold(run.workload)} under ${colours.bold(run.strategy)}${run.partial ? colours.yellow(' (interrupted: figures of what was done)') : ''}`,
    table('Operations', ['kind', 'number'], [...kinds, ['all', operations.total], ['refused', operations.refused]]),
    table(
      'Memory',
      ['slab cache', 'bytes each', 'live', 'peak', 'peak bytes', 'allocated'],
      [...slabRows, ['pages', 4096, run.pages.live, run.pages.peak, run.pages.peak * 4096, '']],
    ),
    table('Locks', ['class', 'read', 'write', 'contended'], lockRows),
    table(
      'Walks',
      ['folios sampled', 'candidates p50', 'p99', 'max', 'mappings found'],
      [[shown(walks.sampled), p50, p99, max, walks.mappings]],
    ),
    table(
      'Verification',
      ['at points', 'folios', 'mappings', 'missed', 'wrong'],
      [[shown(verify.points), verify.folios, verify.mappings, verify.missed, verify.wrong]],
    ),
    ...(run.kernelActivity === undefined
      ? []
      : [table('Kernel activity', ['act', 'number'], Object.entries(run.kernelActivity))]),
    ...(run.leftOut === undefined ? [] : [colours.yellow(`not in the trace: ${run.leftOut}`)]),
    `${verdict}; ${shown(replay.touches)} pages touched, ${shown(replay.unexplained)} unexplained, ${shown(replay.mismatches)} answers differ`,
    `${shown(run.processes.total)} processes (${shown(run.processes.peak)} at once), ${shown(run.vmas.peak)} VMAs at once; ${run.seconds.toFixed(2)} s, ${shown(Math.round(run.operationsPerSecond))} operations/s`,
  ].join('\n\n');
}

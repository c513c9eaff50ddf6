import type { Failure } from './explore.js';

/** A failure for a terminal: one column for each thread, one line for each step; `*` marks steps that race with an earlier one. */
export function timeline({ recording, rule, message, preemptions }: Failure): string {
  const { threads, steps } = recording;
  const widths = threads.map((name, i) =>
    Math.max(name.length, ...steps.filter((step) => step.thread === i).map((step) => step.what.length + 2)),
  );
  const line = (number: string, cells: readonly string[]): string =>
    `${number.padStart(4)}  ${cells.map((cell, i) => cell.padEnd(widths[i])).join('  ')}`.trimEnd();
  const rows = steps.map(({ thread, what, races }, at) =>
    line(
      String(at),
      threads.map((_, i) => (i === thread ? `${races.length > 0 ? '* ' : '  '}${what}` : '')),
    ),
  );
  return [
    `${rule} is broken: ${message}`,
    `${steps.length} steps, ${preemptions} ${preemptions === 1 ? 'preemption' : 'preemptions'}`,
    line('', threads),
    ...rows,
    '',
  ].join('\n');
}

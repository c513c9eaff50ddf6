import type { Failure } from './explore.js';
import type { RecordedStep, Recording } from './recording.js';

const cellOf = ({ what, held, races }: RecordedStep): string =>
  `${races.length > 0 ? '* ' : '  '}${what}${held.length > 0 ? `  [${held.join(', ')}]` : ''}`;

/** A schedule for a terminal: one column for each thread, one line for each step; `*` marks steps that race with an earlier one, `[]` holds the locks held. */
export function describeRecording({ threads, steps }: Recording): string {
  const widths = threads.map((name, i) =>
    Math.max(name.length, ...steps.filter((step) => step.thread === i).map((step) => cellOf(step).length)),
  );
  const line = (number: string, cells: readonly string[]): string =>
    `${number.padStart(4)}  ${cells.map((cell, i) => cell.padEnd(widths[i])).join('  ')}`.trimEnd();
  const rows = steps.map((step, at) =>
    line(
      String(at),
      threads.map((_, i) => (i === step.thread ? cellOf(step) : '')),
    ),
  );
  return `${[line('', threads), ...rows].join('\n')}\n`;
}

/** A failure for a terminal: what is wrong, and the schedule that leads there. */
export function timeline({ recording, rule, message, preemptions }: Failure): string {
  const length = `${recording.steps.length} steps, ${preemptions} ${preemptions === 1 ? 'preemption' : 'preemptions'}`;
  return `${rule} is broken: ${message}\n${length}\n${describeRecording(recording)}`;
}

import type { Failure } from './explore.js';
import type { RecordedStep, Recording } from './recording.js';
import { operationsOf, type ScenarioProgram, type ThreadOperation } from './scenarios/scenario-program.js';

/** What a step is called: `lock ptl`; the first of a thread `begins`. */
export const stepName = (what: string): string => (what === 'choice start' ? 'begins' : what.replace(/^choice /, ''));

const namesOf = (held: readonly string[]): string[] => {
  const names = [...new Set(held)];
  return names.map((name) => {
    const times = held.filter((other) => other === name).length;
    return times === 1 ? name : `${name} x${times}`;
  });
};

const cellOf = ({ what, held }: RecordedStep, marked: boolean): string =>
  `${marked ? '* ' : '  '}${stepName(what)}${held.length > 0 ? `  [${namesOf(held).join(', ')}]` : ''}`;

/** A schedule for a terminal: one column for each thread, one line for each step, in brackets the locks held. @param marked steps to mark with `*` */
export function describeRecording({ threads, steps }: Recording, marked: readonly number[] = []): string {
  const cells = steps.map((step, at) => cellOf(step, marked.includes(at)));
  const widths = threads.map((name, i) =>
    Math.max(name.length, ...cells.filter((_, at) => steps[at].thread === i).map((cell) => cell.length)),
  );
  const line = (number: string, row: readonly string[]): string =>
    `${number.padStart(4)}  ${row.map((cell, i) => cell.padEnd(widths[i])).join('  ')}`.trimEnd();
  const rows = steps.map((step, at) =>
    line(
      String(at),
      threads.map((_, i) => (i === step.thread ? cells[at] : '')),
    ),
  );
  return `${[
    line(
      '',
      threads.map((name) => `  ${name}`),
    ),
    ...rows,
  ].join('\n')}\n`;
}

/** What is broken, by which two steps, and what would keep them apart, in one sentence. */
export function sentenceOf({ rule, message, cause, preemptions, recording }: Failure): string {
  const line = message.split('\n')[0].replace(/^\S+ broken in .*? during .*?: /, '');
  const what = line.startsWith(`${rule}: `) ? line.slice(rule.length + 2) : line;
  const { threads, steps } = recording;
  // A strategy's own mistake, such as a TypeError, names no rule.
  const wrong = rule === recording.error?.name ? `${rule} is thrown` : `${rule} is broken`;
  if (cause === null)
    return `${wrong}: ${what}. ${preemptions === 0 ? 'One thread after the other is enough.' : 'No two steps alone are to blame.'}`;
  const { first, second, lock } = cause;
  const step = (at: number): string => `${threads[steps[at].thread]}'s '${stepName(steps[at].what)}' (step ${at})`;
  const holds = (at: number): boolean => steps[at].held.some((held) => held.split(' ')[0] === lock);
  const [holder, other] = (holds(first) ? [first, second] : [second, first]).map((at) => threads[steps[at].thread]);
  const order =
    lock === null
      ? 'no lock is held there that could order the two'
      : `${lock}, which ${holder} holds there, would order the two if ${other} took it too`;
  const remedy = rule === 'R31' ? `${order}; or a reference would keep what is freed` : order;
  if (recording.racing !== null) return `A data race: ${what}; these are ${step(first)} and ${step(second)}, and ${remedy}.`;
  return `${wrong}: ${what}; for ${step(first)} comes before ${step(second)}, and ${remedy}.`;
}

/** How long a failure is. */
export const lengthOf = ({ recording, operations, preemptions }: Failure): string =>
  [
    [recording.steps.length, 'step'],
    [operations, 'operation'],
    [preemptions, 'preemption'],
  ]
    .map(([n, what]) => `${n} ${what}${n === 1 ? '' : 's'}`)
    .join(', ');

/** Steps that a failure's sentence is about. */
export const markedSteps = ({ cause }: Failure): readonly number[] => (cause === null ? [] : [cause.first, cause.second]);

/** A failure for a terminal: what is wrong, and the schedule that leads there. */
export const timeline = (failure: Failure): string =>
  [failure, ...failure.others]
    .map((each) => `${sentenceOf(each)}\n${lengthOf(each)}\n${describeRecording(each.recording, markedSteps(each))}`)
    .join('\n');

/** The operations of a program, a line each: who does what, before the threads begin or in a thread. */
export function programLines(program: ScenarioProgram): readonly string[] {
  const threads = Object.entries(program.threads).flatMap(([name, operations]) => operations.map(() => name));
  const who = [...program.setup.map(() => 'first'), ...threads];
  const width = Math.max(...who.map((name) => name.length), 0);
  return operationsOf(program).map((operation, i) => `${who[i].padEnd(width)}  ${operationName(operation)}`);
}

function operationName({ op, process, ...rest }: ThreadOperation): string {
  const shown = Object.entries(rest).filter(
    ([, value]) => value !== 0 && value !== false && value !== null && value !== 'private',
  );
  return `process ${process}: ${op}${shown.map(([name, value]) => ` ${name} ${value}`).join(',')}`;
}

import { TraceError } from '@rmap-lab/core';

/** One event of the kernel's trace, as text. */
export interface RecordedEvent {
  /** The task it happened in. */
  readonly pid: number;
  /** Its name, and what it says. */
  readonly text: string;
  /** Number of its line, from 1. */
  readonly position: number;
}

const EVENT = /^\s*.*-(\d+)\s+\[\d+\]\s+\S+\s+[\d.]+: (.*)$/;
/** Events with the name of a program, which may have line feeds in it. */
const NAMES = /^(?:sched_process_|task_newtask)/;
/** A task's name, which stands before each of its events, has at most 15 characters, and may be torn as well. */
const LONGEST_NAME = 40;

/** The events that the page-fault recorder wrote, in order. @throws TraceError for a line that it did not write */
export async function* recordedEvents(
  lines: AsyncIterable<string> | Iterable<string>,
  name: string,
): AsyncGenerator<RecordedEvent> {
  let before = null as RecordedEvent | null;
  let torn = '';
  let position = 0;
  const refusal = (): TraceError => new TraceError(name, position, `'${torn.slice(0, 60)}' is no event of the recorder`);
  for await (const line of lines) {
    position++;
    if (line.startsWith('#') || line.trim() === '') continue;
    const [, pid, text] = EVENT.exec(torn + line) ?? [];
    if (text === undefined) {
      if (before !== null && NAMES.test(before.text)) before = { ...before, text: `${before.text} ${line}` };
      else torn += line;
      if (torn.length > LONGEST_NAME) throw refusal();
      continue;
    }
    if (before !== null) yield before;
    before = { pid: Number(pid), text, position };
    torn = '';
  }
  if (before !== null) yield before;
  if (torn !== '') throw refusal();
}

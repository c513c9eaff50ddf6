/** A line of strace: what it says of which task. */
export interface StraceLine {
  /** 0: the only task there is. */
  readonly pid: number;
  /** null: strace begins to follow this task, somebody's child. */
  readonly text: string | null;
  /** Number of the line, from 1. */
  readonly position: number;
}

/** A number with a blank after it is a task, else it begins a time. */
const LINE = /^(?:\[pid\s+(\d+)\]|(\d+)(?=\s))?\s*(?:[\d:.]+ )?(.*)$/;
const ATTACHED = /^(.*)strace: Process (\d+) attached$/;

/** Lines of `strace -f`, of its terminal (`[pid 7] ...`) and of its file (`7 ...`), with or without times. */
export async function* straceLines(lines: AsyncIterable<string> | Iterable<string>): AsyncGenerator<StraceLine> {
  let position = 0;
  // On a terminal the notice of a new task breaks into the line of the call that started it.
  let torn = '';
  for await (const line of lines) {
    position++;
    const attached = ATTACHED.exec(line);
    if (attached !== null) {
      torn += attached[1];
      yield { pid: Number(attached[2]), text: null, position };
      continue;
    }
    const [, bracketed, plain, text] = LINE.exec(torn + line) as RegExpExecArray;
    torn = '';
    if (text !== '') yield { pid: Number(bracketed ?? plain ?? 0), text, position };
  }
}

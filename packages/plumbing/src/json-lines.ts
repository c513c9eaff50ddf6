import { closeSync, existsSync, fsyncSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs';

/** What the lines of a file must be. Lines are counted from 1. */
export interface LineForm<T> {
  /** How that line begins: by this a last line that was torn is told from text that is not ours. */
  beginning(line: number): string;
  /** Whether what the line says is a row of ours. To throw is to say no: nothing is known of `row` yet, it may be null. */
  isRow(row: T, line: number): boolean;
  /** The error for a line that is no row. */
  refusal(line: number, text: string): Error;
}

/**
 * A file with a JSON document in each line, to which a run adds what it finds, so that the next run goes on from there. A last line
 * without an end was torn when the run was killed: it counts as not there, and is removed before anything is added.
 */
export class JsonLines<T> {
  /** What was in the file, in its order. */
  readonly rows: readonly T[];
  /** Bytes of the whole lines, while something torn is behind them; else null. */
  private torn: number | null;
  private descriptor: number | null = null;

  /** Reads the file, if there is one, and leaves it as it is. @throws the form's refusal, or what the file system says */
  constructor(
    private readonly file: string,
    form: LineForm<T>,
  ) {
    const bytes = existsSync(file) ? readFileSync(file) : Buffer.alloc(0);
    const end = bytes.lastIndexOf('\n') + 1;
    const lines = bytes.toString('utf8', 0, end).split('\n').slice(0, -1);
    this.rows = lines.map((text, i) => rowFrom(text, i + 1, form));
    const rest = bytes.subarray(end);
    const last = lines.length + 1;
    const beginning = Buffer.from(form.beginning(last));
    if (!rest.subarray(0, beginning.length).equals(beginning.subarray(0, rest.length))) throw form.refusal(last, rest.toString());
    this.torn = rest.length > 0 ? end : null;
  }

  /** Removes what was torn, and makes the file if there is none. {@link add} does it by itself. @throws what the file system says */
  open(): number {
    if (this.descriptor !== null) return this.descriptor;
    if (this.torn !== null) truncateSync(this.file, this.torn);
    this.torn = null;
    this.descriptor = openSync(this.file, 'a');
    return this.descriptor;
  }

  /** Adds a row, which is on the disk when this returns. @throws what the file system says */
  add(row: T): void {
    const descriptor = this.open();
    writeSync(descriptor, `${JSON.stringify(row)}\n`);
    fsyncSync(descriptor);
  }

  /** Closes the file until something is added again. */
  close(): void {
    if (this.descriptor !== null) closeSync(this.descriptor);
    this.descriptor = null;
  }
}

function rowFrom<T>(text: string, line: number, form: LineForm<T>): T {
  try {
    const row = JSON.parse(text) as T;
    if (form.isRow(row, line)) return row;
  } catch {
    // Said below.
  }
  throw form.refusal(line, text);
}

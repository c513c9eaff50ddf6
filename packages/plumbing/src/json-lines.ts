import { closeSync, existsSync, fstatSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { aboutFile } from './about-file.js';
import { soleUser } from './sole-user.js';

/** What the lines of a file must be. Lines are counted from 1. */
export interface LineForm<T> {
  /** How that line begins: by this a last line that was torn is told from text that is not ours. */
  beginning(line: number): string;
  /** Whether what the line says is a row of ours. To throw is to say no: nothing is known of `row` yet, it may be null. */
  isRow(row: T, line: number): boolean;
  /** The error for a line that is no row. */
  refusal(line: number, text: string): Error;
  /** The error when another process adds to the file; `how` says which and since when, in words behind the name of the file. */
  busy(how: string): Error;
}

/**
 * A file with a JSON document in each line, to which a run adds what it finds, so that the next run goes on from there; one process
 * at a time. A last line without an end was torn when the run was killed: it counts as not there, and is removed before anything is added.
 */
export class JsonLines<T> {
  /** What was in the file, in its order. */
  readonly rows: readonly T[];
  /** Bytes that were read, and how many of them whole lines are. */
  private readonly length: number;
  private readonly whole: number;
  private used: { readonly descriptor: number; readonly leave: () => void } | null = null;
  private opened = false;

  /** Reads the file, if there is one, and leaves it as it is. @throws the form's refusal, or what the file system says */
  constructor(
    private readonly file: string,
    private readonly form: LineForm<T>,
  ) {
    const bytes = existsSync(file) ? aboutFile(file, () => readFileSync(file)) : Buffer.alloc(0);
    const end = bytes.lastIndexOf('\n') + 1;
    const lines = bytes.toString('utf8', 0, end).split('\n').slice(0, -1);
    this.rows = lines.map((text, i) => rowFrom(text, i + 1, form));
    const rest = bytes.subarray(end);
    const last = lines.length + 1;
    const beginning = Buffer.from(form.beginning(last));
    if (!rest.subarray(0, beginning.length).equals(beginning.subarray(0, rest.length))) throw form.refusal(last, rest.toString());
    this.length = bytes.length;
    this.whole = end;
  }

  /**
   * Takes the file for this process alone, until {@link close}; removes what was torn, and makes the file if there is none.
   * {@link add} does it by itself. @throws the form's error when it is in use, or what the file system says
   */
  open(): number {
    if (this.used !== null) return this.used.descriptor;
    const leave = aboutFile(this.file, () => soleUser(this.file));
    if (typeof leave === 'number') throw this.form.busy(`process ${leave} is writing to it`);
    let descriptor: number;
    try {
      descriptor = aboutFile(this.file, () => openSync(this.file, 'a'));
    } catch (error) {
      leave();
      throw error;
    }
    this.used = { descriptor, leave };
    if (!this.opened) this.dropTorn(descriptor);
    return descriptor;
  }

  /** What is in the file must still be what was read. */
  private dropTorn(descriptor: number): void {
    if (fstatSync(descriptor).size !== this.length) {
      this.close();
      throw this.form.busy('another process wrote to it just now');
    }
    if (this.whole < this.length) ftruncateSync(descriptor, this.whole);
    this.opened = true;
  }

  /** Adds a row, which is on the disk when this returns. @throws as {@link open} does */
  add(row: T): void {
    const descriptor = this.open();
    writeSync(descriptor, `${JSON.stringify(row)}\n`);
    fsyncSync(descriptor);
  }

  /** Leaves the file until something is added again. */
  close(): void {
    if (this.used === null) return;
    closeSync(this.used.descriptor);
    this.used.leave();
    this.used = null;
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

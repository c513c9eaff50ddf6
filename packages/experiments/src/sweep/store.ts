import { closeSync, existsSync, fsyncSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs';
import type { Measurement } from '../measure.js';
import { soleUser } from './sole-user.js';
import { type Cell, cellId } from './spec.js';

/** How a cell ended. `blame` names the strategy where it is the strategy's doing. */
export type Outcome =
  | { readonly status: 'measured'; readonly measurement: Measurement }
  | { readonly status: 'time' | 'memory' | 'threw'; readonly blame: string };

/** A line of the store. */
export interface StoredResult {
  readonly id: string;
  readonly cell: Cell;
  readonly outcome: Outcome;
}

/** A result file has a line, not its last, that is no result; or another process is writing to it. */
export class BadStore extends Error {
  override readonly name = 'BadStore';
}

/**
 * Results in a file of JSON lines that only grows: each is on the disk when {@link append} returns. A last line that a crash tore is
 * dropped; files of several shards may be joined by concatenation.
 */
export class ResultStore {
  private readonly byId = new Map<string, StoredResult>();
  private readonly descriptor: number;
  private readonly leave: () => void;

  /** Takes the file for this process alone, until {@link close}. @throws BadStore, or what the file system says */
  constructor(file: string) {
    const leave = soleUser(file);
    if (typeof leave === 'number')
      throw new BadStore(`${file}: process ${leave} is writing to it; wait for it, or name another file`);
    this.leave = leave;
    try {
      if (existsSync(file)) this.read(file);
      this.descriptor = openSync(file, 'a');
    } catch (error) {
      leave();
      throw error;
    }
  }

  get results(): readonly StoredResult[] {
    return [...this.byId.values()];
  }

  /** The result of a cell, if there is one. */
  resultOf(cell: Cell): StoredResult | undefined {
    return this.byId.get(cellId(cell));
  }

  /** Adds a result; it is on the disk when this returns. */
  append(cell: Cell, outcome: Outcome): void {
    const result = { id: cellId(cell), cell, outcome };
    writeSync(this.descriptor, `${JSON.stringify(result)}\n`);
    fsyncSync(this.descriptor);
    this.byId.set(result.id, result);
  }

  /** Closes the file. */
  close(): void {
    closeSync(this.descriptor);
    this.leave();
  }

  private read(file: string): void {
    const text = readFileSync(file, 'utf8');
    const whole = text.lastIndexOf('\n') + 1;
    if (whole < text.length) truncateSync(file, Buffer.byteLength(text.slice(0, whole)));
    const lines = text.slice(0, whole).split('\n').slice(0, -1);
    for (const [i, line] of lines.entries()) this.take(file, i + 1, line);
  }

  private take(file: string, number: number, line: string): void {
    try {
      const result = JSON.parse(line) as StoredResult;
      if (result.id !== cellId(result.cell) || typeof result.outcome.status !== 'string')
        throw new Error('it names another cell');
      this.byId.set(result.id, result);
    } catch (error) {
      throw new BadStore(
        `${file}: line ${number} is no result (${(error as Error).message}); mend or remove it, or name another file`,
      );
    }
  }
}

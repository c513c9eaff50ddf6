import { InputError } from '@rmap-lab/core';
import { JsonLines } from '@rmap-lab/plumbing';
import type { Measurement } from '../measure.js';
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

/** A result file has a line that is no result; or another process is writing to it. */
export class BadStore extends InputError {
  override readonly name = 'BadStore';
}

/**
 * Results in a file of JSON lines that only grows: each is on the disk when {@link append} returns. A last line that a crash tore is
 * dropped; files of several shards may be joined by concatenation.
 */
export class ResultStore {
  private readonly byId = new Map<string, StoredResult>();
  private readonly lines: JsonLines<StoredResult>;

  /** Takes the file for this process alone, until {@link close}. @throws BadStore, or what the file system says */
  constructor(file: string) {
    this.lines = new JsonLines<StoredResult>(file, {
      beginning: () => '{"id":"',
      isRow: ({ id, cell, outcome }) => id === cellId(cell) && typeof outcome.status === 'string',
      refusal: (line, text) =>
        new BadStore(`${file}: line ${line} is no result; mend or remove it, or name another file: ${text.slice(0, 200)}`),
      busy: (how) => new BadStore(`${file}: ${how}; wait for it, or name another file`),
    });
    this.lines.open();
    for (const result of this.lines.rows) this.byId.set(result.id, result);
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
    this.lines.add(result);
    this.byId.set(result.id, result);
  }

  /** Closes the file. */
  close(): void {
    this.lines.close();
  }
}

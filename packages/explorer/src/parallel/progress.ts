import { InputError } from '@rmap-lab/core';
import { JsonLines } from '@rmap-lab/plumbing';
import { nameOf, type Part } from './parts.js';
import type { Job, PartResult } from './run-part.js';

/** A file of results that belongs to another exploration, or is none. */
export class BadProgress extends InputError {
  override readonly name = 'BadProgress';
}

const SCHEMA = 'rmap-lab/explore-progress@1';

/** What is explored: results of anything else are of no use to it. */
export interface Search extends Job {
  readonly seed: number;
  readonly schedules: number;
  /** Digest of the model and the strategy, which change under the same names. */
  readonly code: string;
}

/** The first line of a file, and of each file that was joined to it. */
type Head = Search & { readonly schema: typeof SCHEMA };

/** Any other line. */
interface Line {
  /** The part's name. */
  readonly part: string;
  readonly result: PartResult;
}

/**
 * Results of parts by name; with a file, each is on the disk when {@link add} returns, as a JSON line. A last line that was torn is
 * dropped; files of several shards may be joined by concatenation.
 */
export class Progress {
  private readonly results = new Map<string, PartResult>();
  private readonly lines: JsonLines<Head | Line> | null;

  /** @throws BadProgress, or what the file system says */
  constructor(search: Search, file?: string) {
    this.lines = file === undefined ? null : linesOf({ schema: SCHEMA, ...search }, file);
    for (const row of this.lines?.rows ?? []) if ('part' in row) this.results.set(row.part, row.result);
  }

  of(part: Part): PartResult | undefined {
    const known = this.results.get(nameOf(part));
    if (known !== undefined || 'seed' in part || part.bound === 0) return known;
    // Of what a bound left nothing out, one preemption more finds the same.
    const below = this.of({ ...part, bound: part.bound - 1 });
    return below?.cut === false ? below : undefined;
  }

  add(part: Part, result: PartResult): void {
    this.results.set(nameOf(part), result);
    this.lines?.add({ part: nameOf(part), result });
  }

  close(): void {
    this.lines?.close();
  }
}

/** The lines of a file, which begins with a head. One that is not of this search stays as it is: it may hold what nobody can compute again. */
function linesOf(head: Head, file: string): JsonLines<Head | Line> {
  const first = JSON.stringify(head);
  const lines = new JsonLines<Head | Line>(file, {
    // Behind its head all is ours.
    beginning: (line) => (line === 1 ? first : ''),
    isRow: (row, line) =>
      'part' in row
        ? line > 1 && typeof row.part === 'string' && Number.isInteger(row.result.schedules)
        : JSON.stringify(row) === first,
    refusal: (line, text) =>
      new BadProgress(
        line === 1
          ? `'${file}' is of another exploration, or of another version of the strategy or the model, or none at all; it was left as it is, so name another file: ${text.slice(0, 200)}`
          : `'${file}' has a line that is no result; remove the line, or name another file: ${text.slice(0, 200)}`,
      ),
    busy: (how) => new BadProgress(`'${file}': ${how}; wait for it, or name another file`),
  });
  if (lines.rows.length === 0) lines.add(head);
  else lines.open();
  return lines;
}

import { closeSync, existsSync, fsyncSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs';
import { nameOf, type Part } from './parts.js';
import type { Job, PartResult } from './run-part.js';

/** A file of results that belongs to another exploration, or is none. */
export class BadProgress extends Error {
  override readonly name = 'BadProgress';
}

const SCHEMA = 'rmap-lab/explore-progress@1';

/** What is explored: results of anything else are of no use to it. */
export type Search = Job & { readonly seed: number; readonly schedules: number };

/**
 * Results of parts by name; with a file, each is on the disk when {@link add} returns, as a JSON line. A last line that was torn is
 * dropped; files of several shards may be joined by concatenation.
 */
export class Progress {
  private readonly results = new Map<string, PartResult>();
  private readonly descriptor: number | null;

  /** @throws BadProgress, or what the file system says */
  constructor(search: Search, file?: string) {
    const head = JSON.stringify({ schema: SCHEMA, ...search });
    const there = file !== undefined && existsSync(file) && this.read(file, head);
    this.descriptor = file === undefined ? null : openSync(file, 'a');
    if (!there) this.write(head);
  }

  of(part: Part): PartResult | undefined {
    return this.results.get(nameOf(part));
  }

  add(part: Part, result: PartResult): void {
    this.results.set(nameOf(part), result);
    this.write(JSON.stringify({ part: nameOf(part), result }));
  }

  close(): void {
    if (this.descriptor !== null) closeSync(this.descriptor);
  }

  private write(line: string): void {
    if (this.descriptor === null) return;
    writeSync(this.descriptor, `${line}\n`);
    fsyncSync(this.descriptor);
  }

  /** Whether anything was there. A file that is not of this search stays as it is: it may hold what nobody can compute again. */
  private read(file: string, head: string): boolean {
    const text = readFileSync(file, 'utf8');
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    const [first, ...lines] = whole.split('\n').slice(0, -1);
    // Without a whole line it can only be a head that was torn.
    if (first === undefined ? !head.startsWith(text) : first !== head)
      throw new BadProgress(
        `'${file}' is of another exploration, or none at all; it was left as it is, so name another file: ${(first ?? text).slice(0, 200)}`,
      );
    for (const line of lines) {
      if (line === head) continue;
      const { part, result } = parse(line, file);
      this.results.set(part, result);
    }
    truncateSync(file, Buffer.byteLength(whole));
    return first !== undefined;
  }
}

function parse(line: string, file: string): { part: string; result: PartResult } {
  try {
    const { part, result } = JSON.parse(line) as { part: string; result: PartResult };
    if (typeof part === 'string' && Number.isInteger(result.schedules)) return { part, result };
  } catch {
    // Said below.
  }
  throw new BadProgress(`'${file}' has a line that is no result; remove the line, or name another file: ${line.slice(0, 200)}`);
}

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

  /** Whether anything was there. */
  private read(file: string, head: string): boolean {
    const text = readFileSync(file, 'utf8');
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    truncateSync(file, Buffer.byteLength(whole));
    const [first, ...lines] = whole.split('\n').slice(0, -1);
    if (first === undefined) return false;
    if (first !== head) throw new BadProgress(`'${file}' is of another exploration: ${first.slice(0, 200)}`);
    for (const line of lines) {
      if (line === head) continue;
      const { part, result } = parse(line, file);
      this.results.set(part, result);
    }
    return true;
  }
}

function parse(line: string, file: string): { part: string; result: PartResult } {
  try {
    const { part, result } = JSON.parse(line) as { part: string; result: PartResult };
    if (typeof part === 'string' && Number.isInteger(result.schedules)) return { part, result };
  } catch {
    // Said below.
  }
  throw new BadProgress(`'${file}' has a line that is no result: ${line.slice(0, 200)}`);
}

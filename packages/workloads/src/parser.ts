import { isUtf8 } from 'node:buffer';
import { TraceError } from '@rmap-lab/core';
import { Checksum } from './checksum.js';
import { decodeHeader, decodeRecord } from './decode.js';
import type { EndRecord, TraceRecord } from './format.js';
import { LIMITS } from './limits.js';
import { Malformed } from './malformed.js';

/** A record and its number in the trace: the header's is 1. */
export interface PlacedRecord {
  readonly record: TraceRecord;
  readonly position: number;
}

const LINE_FEED = 0x0a;

/** Turns a trace's uncompressed text, piece by piece, into records: each comes out whole and checked, or not at all. */
export class TraceParser {
  /** Pieces of a line whose end has not come yet. */
  private readonly carry: Uint8Array[] = [];
  private carried = 0;
  private bytes = 0;
  private readonly checksum = new Checksum();
  private readonly counts: Record<string, number> = {};
  /** Records that came out. */
  private records = 0;
  private ended = false;

  constructor(
    private readonly name: string,
    private readonly maxBytes: number,
  ) {}

  /** The records that `chunk` completes. @throws TraceError at the first that is none */
  *push(chunk: Uint8Array): Generator<PlacedRecord, void> {
    this.bytes += chunk.length;
    if (this.bytes > this.maxBytes) throw this.oversized();
    if (this.ended && chunk.length > 0) throw this.error('something follows the end record');
    const stop = chunk.lastIndexOf(LINE_FEED) + 1;
    if (stop > 0) {
      this.carry.push(chunk.subarray(0, stop));
      const lines = Buffer.concat(this.carry);
      this.carry.length = this.carried = 0;
      yield* this.lines(lines);
    }
    if (stop === chunk.length) return;
    // A copy: whoever gave us the chunk may use its memory again.
    this.carry.push(chunk.slice(stop));
    this.carried += chunk.length - stop;
    if (this.carried > LIMITS.lineBytes) throw this.tooLong();
    if (this.ended) throw this.error('something follows the end record');
  }

  /** Nothing more will come. @throws TraceError when that is too early */
  finish(): void {
    if (!this.ended) throw this.error('the trace is truncated: it stops before its end record');
  }

  /** An error at the record that was to come next. */
  error(reason: string): TraceError {
    return new TraceError(this.name, this.records + 1, reason);
  }

  /** The error of a trace that has too much text. */
  oversized(): TraceError {
    return this.error(`the trace is oversized: more than ${this.maxBytes} bytes of text`);
  }

  /** Whole lines. */
  private *lines(lines: Buffer): Generator<PlacedRecord, void> {
    const wrong = isUtf8(lines) ? lines.length : firstLineNotUtf8(lines);
    const text = lines.toString('utf8', 0, wrong);
    let start = 0;
    for (let stop = text.indexOf('\n'); stop !== -1; stop = text.indexOf('\n', start)) {
      if (stop - start > LIMITS.lineBytes) throw this.tooLong();
      const record = this.line(text.slice(start, stop));
      if (record.type === 'end') this.check(record, text.slice(0, start));
      start = stop + 1;
      yield { record, position: ++this.records };
    }
    if (wrong < lines.length) throw this.error('the record is no UTF-8');
    if (!this.ended) this.checksum.add(lines);
  }

  private line(text: string): TraceRecord {
    if (this.ended) throw this.error('a record follows the end record');
    if (this.records === LIMITS.records) throw this.error(`the trace is oversized: more than ${LIMITS.records} records`);
    let record: TraceRecord;
    try {
      const line: unknown = JSON.parse(text);
      record = this.records === 0 ? decodeHeader(line) : decodeRecord(line);
    } catch (error) {
      if (error instanceof SyntaxError)
        throw this.error(this.records === 0 ? 'this is no trace: its first line is no JSON' : 'the record is no JSON');
      throw error instanceof Malformed ? this.error(error.message) : error;
    }
    if (record.type !== 'header' && record.type !== 'end') this.counts[record.type] = (this.counts[record.type] ?? 0) + 1;
    return record;
  }

  /** Is what came before the end record what was written? */
  private check({ counts, checksum }: EndRecord, before: string): void {
    this.ended = true;
    for (const type of new Set([...Object.keys(this.counts), ...Object.keys(counts)])) {
      const [written, read] = [counts[type] ?? 0, this.counts[type] ?? 0];
      if (written !== read) throw this.error(`the trace is corrupted: ${written} ${type} records were written, ${read} are here`);
    }
    this.checksum.add(before);
    const found = this.checksum.toString();
    if (checksum !== found) throw this.error(`the trace is corrupted: its checksum is ${found}, not ${checksum}`);
  }

  private tooLong(): TraceError {
    return this.error(`the record is oversized: more than ${LIMITS.lineBytes} bytes`);
  }
}

/** Where the first line begins that is no UTF-8. */
function firstLineNotUtf8(lines: Buffer): number {
  let start = 0;
  for (let stop = lines.indexOf(LINE_FEED) + 1; isUtf8(lines.subarray(start, stop)); stop = lines.indexOf(LINE_FEED, start) + 1)
    start = stop;
  return start;
}

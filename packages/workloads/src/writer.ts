import { createWriteStream } from 'node:fs';
import { pipeline, type Writable } from 'node:stream';
import { constants, createGzip } from 'node:zlib';
import { TraceError } from '@rmap-lab/core';
import { Checksum } from './checksum.js';
import { decodeHeader, decodeRecord } from './decode.js';
import { encodeRecord } from './encode.js';
import type { BodyRecord, EndRecord, Header, TouchRecord } from './format.js';
import { joinTouches } from './join.js';
import { LIMITS } from './limits.js';
import { Malformed } from './malformed.js';

/** Characters that are worth a write. */
const PIECE = 64 * 1024;

/** Writes one trace: first its header, then records, then `end()`. */
export interface TraceWriter {
  /**
   * Adds a record; a touch that continues the run before it is joined to it. Await it: it waits while the file is slower.
   * @throws TraceError when the record, or the one joined before it, is not what a reader would take; and what the file system throws
   */
  write(record: Header | BodyRecord): Promise<void>;
  /** Adds the end record and closes the file: what the end record says. @throws what the file system throws */
  end(): Promise<EndRecord>;
}

/** A writer of a gzip file, or into a stream. */
export function createTraceWriter(to: string | Writable): TraceWriter {
  return typeof to === 'string' ? new GzipTraceWriter(createWriteStream(to), to) : new GzipTraceWriter(to, 'trace');
}

class GzipTraceWriter implements TraceWriter {
  private readonly gzip = createGzip({ level: constants.Z_BEST_COMPRESSION });
  private readonly closed: Promise<void>;
  private readonly checksum = new Checksum();
  private readonly counts: Record<string, number> = {};
  private records = 0;
  private pending = '';
  private run: TouchRecord | null = null;

  constructor(
    to: Writable,
    private readonly name: string,
  ) {
    this.closed = new Promise((resolve, reject) => pipeline(this.gzip, to, (error) => (error ? reject(error) : resolve())));
    // Whoever awaits `end` or a write hears of it; until then it is no unhandled rejection.
    this.closed.catch(() => {});
  }

  async write(record: Header | BodyRecord): Promise<void> {
    const { run } = this;
    if (record.type !== 'touch') this.addRun();
    else {
      const joined = run === null ? null : joinTouches(run, record);
      if (joined === null) this.addRun();
      this.run = joined ?? record;
    }
    if (record.type !== 'touch') this.add(record);
    if (this.pending.length >= PIECE) await this.flush();
  }

  async end(): Promise<EndRecord> {
    this.addRun();
    if (this.records === 0) throw new TraceError(this.name, 1, 'a trace begins with a header');
    this.checksum.add(this.pending);
    const record: EndRecord = { type: 'end', counts: this.counts, checksum: this.checksum.toString() };
    this.gzip.end(`${this.pending}${JSON.stringify(encodeRecord(record))}\n`);
    await this.closed;
    return record;
  }

  private addRun(): void {
    const { run } = this;
    this.run = null;
    if (run !== null) this.add(run);
  }

  private add(record: Header | BodyRecord): void {
    const line = encodeRecord(record);
    const text = JSON.stringify(line);
    try {
      if (this.records === 0) decodeHeader(line);
      else decodeRecord(line);
      if (text.length > LIMITS.lineBytes / 3) throw new Malformed(`the record is oversized: ${text.length} characters`);
    } catch (error) {
      throw error instanceof Malformed ? new TraceError(this.name, this.records + 1, error.message) : error;
    }
    this.records++;
    if (record.type !== 'header') this.counts[record.type] = (this.counts[record.type] ?? 0) + 1;
    this.pending += `${text}\n`;
  }

  private async flush(): Promise<void> {
    const text = this.pending;
    this.pending = '';
    this.checksum.add(text);
    if (this.gzip.write(text)) return;
    await Promise.race([new Promise<void>((resolve) => this.gzip.once('drain', resolve)), this.closed]);
  }
}

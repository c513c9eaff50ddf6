import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { crc32, gzipSync } from 'node:zlib';
import { type BodyRecord, createTraceWriter, type Header } from '../src/index.js';
import { HEADER } from './records.js';

/** The bytes of a trace file with these records. */
export async function written(records: Iterable<BodyRecord>, header: Header = HEADER): Promise<Buffer> {
  const stream = new PassThrough();
  const bytes = buffer(stream);
  const writer = createTraceWriter(stream);
  await writer.write(header);
  for (const record of records) await writer.write(record);
  await writer.end();
  return bytes;
}

/** An end record's line that is right for these lines. */
export function endOf(lines: readonly string[], counts: Readonly<Record<string, number>> = {}): string {
  const checksum = crc32(lines.map((line) => `${line}\n`).join(''))
    .toString(16)
    .padStart(8, '0');
  return JSON.stringify(['end', counts, checksum]);
}

/** The lines as a gzip file. */
export const zipped = (lines: readonly string[]): Buffer => gzipSync(lines.map((line) => `${line}\n`).join(''), { level: 1 });

import { createReadStream } from 'node:fs';
import { pipeline, type Readable } from 'node:stream';
import { constants, createGunzip, gunzipSync } from 'node:zlib';
import { LIMITS } from './limits.js';
import { type PlacedRecord, TraceParser } from './parser.js';

const CHUNK = 64 * 1024;

/**
 * The records of a trace file, from the header to the end record, with bounded memory. What came out before an error was whole
 * and in order; `name` stands for the file in errors. @throws TraceError for a file that can't be read, is foreign, truncated, corrupted or oversized
 */
export function readTrace(file: string, name = file): AsyncGenerator<PlacedRecord, void> {
  return read(() => createReadStream(file), name);
}

/** The same for a stream of bytes; `name` stands for it in errors. @throws TraceError */
export function readTraceStream(readable: Readable, name: string): AsyncGenerator<PlacedRecord, void> {
  return read(() => readable, name);
}

/** A file is opened when its first record is asked for, so that somebody is there to hear of an error. */
async function* read(open: () => Readable, name: string): AsyncGenerator<PlacedRecord, void> {
  const parser = new TraceParser(name, LIMITS.fileBytes);
  const text = pipeline(open(), createGunzip({ chunkSize: CHUNK }), () => {});
  try {
    for await (const chunk of text) {
      for (const placed of parser.push(chunk as Buffer)) yield placed;
    }
  } catch (error) {
    throw explained(parser, error);
  }
  parser.finish();
}

/**
 * The records of a trace in memory; `name` stands for it in errors. Nothing comes out unless all of it is right.
 * @throws TraceError
 */
export function parseTrace(bytes: Uint8Array, name: string): PlacedRecord[] {
  const parser = new TraceParser(name, LIMITS.memoryBytes);
  const options = { maxOutputLength: LIMITS.memoryBytes };
  try {
    const records = [...parser.push(gunzipSync(bytes, { ...options, finishFlush: constants.Z_SYNC_FLUSH }))];
    parser.finish();
    // The first pass took what there is of a truncated file, to say where it breaks off; its end must be there as well.
    gunzipSync(bytes, options);
    return records;
  } catch (error) {
    throw explained(parser, error);
  }
}

/** What files and zlib throw, said with the trace's name and the record it happened before. */
function explained(parser: TraceParser, error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === undefined) return error;
  if (code === 'Z_BUF_ERROR') return parser.error('the trace is truncated: the compressed file stops early');
  if (code === 'ERR_BUFFER_TOO_LARGE') return parser.oversized();
  if (code.startsWith('Z_')) return parser.error(`the file is corrupted from here on, or no gzip file at all (${message})`);
  return parser.error(`the file can't be read: ${message}`);
}

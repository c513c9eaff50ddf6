export * from './format.js';
export type { PlacedRecord } from './parser.js';
export { parseTrace, readTrace, readTraceStream } from './reader.js';
export { createTraceWriter, type TraceWriter } from './writer.js';

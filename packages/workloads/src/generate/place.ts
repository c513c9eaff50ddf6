import { PAGE_SIZE } from '@rmap-lab/core';
import { FORMAT, type Header, type TraceRecord, VERSION } from '../format.js';
import type { PlacedRecord } from '../parser.js';

/** Records with the numbers that they would have in a file. */
export function* placeRecords(records: Iterable<TraceRecord>): Generator<PlacedRecord, void> {
  let position = 0;
  for (const record of records) yield { record, position: ++position };
}

/** The header of a generated trace: its generator, and the parameters it was given. */
export const generatedHeader = (generator: string, parameters: Readonly<Record<string, number>>): Header => ({
  type: 'header',
  format: FORMAT,
  version: VERSION,
  pageSize: PAGE_SIZE,
  source: `generated: ${generator}`,
  options: Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, String(value)])),
});

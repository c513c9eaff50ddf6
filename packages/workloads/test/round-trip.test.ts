import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type BodyRecord, createTraceWriter, parseTrace, readTrace, type TouchRecord } from '../src/index.js';
import { body, HEADER, header } from './records.js';
import { written } from './trace-bytes.js';

/** Records with every run of touches taken apart. */
const pagewise = (records: Iterable<{ readonly type: string }>): object[] =>
  [...records].flatMap((record) => {
    if (record.type !== 'touch') return [record];
    const { first, count, stride, ...rest } = record as TouchRecord;
    return Array.from({ length: count }, (_, i) => ({ ...rest, page: first + i * stride }));
  });

test('what was written is read again, page by page, with consecutive positions', async () => {
  await fc.assert(
    fc.asyncProperty(header, fc.array(body, { maxLength: 40 }), async (first, records) => {
      const read = parseTrace(await written(records, first), 'trace');
      expect(read.map(({ position }) => position)).toEqual(read.map((_, i) => i + 1));
      const [start, ...rest] = read.map(({ record }) => record);
      const end = rest.pop();
      expect(start).toEqual(first);
      expect(pagewise(rest)).toEqual(pagewise(records));
      expect(end).toMatchObject({ type: 'end' });
    }),
    { numRuns: 300 },
  );
});

test('a file is read as it was written, whatever the sizes of its chunks', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'trace-'));
  try {
    const file = join(directory, 'a.trace.gz');
    const marks = Array.from({ length: 5000 }, (_, i): BodyRecord => ({ type: 'mark', name: `é${i}`.repeat((i % 50) + 1) }));
    const writer = createTraceWriter(file);
    for (const record of [HEADER, ...marks]) await writer.write(record);
    const end = await writer.end();
    expect(end.counts).toEqual({ mark: 5000 });
    const read = [];
    for await (const { record } of readTrace(file)) read.push(record);
    expect(read).toEqual([HEADER, ...marks, end]);
  } finally {
    await rm(directory, { recursive: true });
  }
});

test('touches with one stride, process and access become one record', async () => {
  const touch = (first: number, more: Partial<TouchRecord> = {}): TouchRecord => ({
    type: 'touch',
    process: 0,
    first,
    count: 1,
    stride: 1,
    write: true,
    ...more,
  });
  const joined = async (...touches: TouchRecord[]): Promise<string[]> =>
    parseTrace(await written(touches), 'trace')
      .slice(1, -1)
      .map(({ record }) => record as TouchRecord)
      .map(({ first, count, stride }) => `${first}+${count}*${stride}`);
  expect(await joined(touch(10), touch(11), touch(12))).toEqual(['10+3*1']);
  expect(await joined(touch(10), touch(8), touch(6), touch(5))).toEqual(['10+3*-2', '5+1*1']);
  expect(await joined(touch(10), touch(11, { count: 4 }), touch(15))).toEqual(['10+6*1']);
  expect(await joined(touch(10), touch(10))).toEqual(['10+1*1', '10+1*1']);
  expect(await joined(touch(10), touch(9000))).toEqual(['10+1*1', '9000+1*1']);
  expect(await joined(touch(10), touch(11, { write: false }))).toEqual(['10+1*1', '11+1*1']);
  expect(await joined(touch(10), touch(11, { process: 1 }))).toEqual(['10+1*1', '11+1*1']);
});

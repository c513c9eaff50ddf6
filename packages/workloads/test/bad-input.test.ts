import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { TraceError } from '@rmap-lab/core';
import { describe, expect, test } from 'vitest';
import { createTraceWriter, parseTrace, readTrace, readTraceStream } from '../src/index.js';
import { HEADER } from './records.js';
import { endOf, written, zipped } from './trace-bytes.js';

const head = JSON.stringify({ format: 'rmap-lab-trace', version: 1, pageSize: 4096, source: 'test', options: {} });
const touch = '["touch",0,1,1,1,"w"]';
const good = [head, touch, touch, endOf([head, touch, touch], { touch: 2 })];
const random = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * i * 2654435761) >>> 13));

/** Records that come out of a stream before it fails, and how it fails. */
async function streamed(bytes: Buffer): Promise<{ out: number; error: unknown }> {
  let out = 0;
  try {
    for await (const { position } of readTraceStream(Readable.from([bytes]), 'bad.gz')) expect(position).toBe(++out);
  } catch (error) {
    return { out, error };
  }
  return { out, error: null };
}

function parsed(bytes: Buffer): unknown {
  try {
    return parseTrace(bytes, 'bad.gz');
  } catch (error) {
    return error;
  }
}

/** Both readers refuse `bytes` at `record`, all records before it having come out of the stream. */
async function refused(bytes: Buffer, record: number, reason: RegExp): Promise<void> {
  const { out, error } = await streamed(bytes);
  for (const each of [error, parsed(bytes)]) {
    expect(each).toBeInstanceOf(TraceError);
    expect(each).toMatchObject({ file: 'bad.gz', record, reason: expect.stringMatching(reason) });
  }
  expect(out).toBe(record - 1);
}

test('the trace that the bad ones below are made from is good', async () => {
  expect(await streamed(zipped(good))).toEqual({ out: 4, error: null });
  expect(parsed(zipped(good))).toHaveLength(4);
});

describe('a file is refused with the position in it', () => {
  test('when it is empty', () => refused(Buffer.alloc(0), 1, /truncated/));
  test('when it is no gzip file', () => refused(Buffer.from('#!/bin/sh\n'), 1, /no gzip file/));
  test('when it holds something else', () => refused(zipped(['hello', 'world']), 1, /this is no trace/));
  test('when it holds other JSON', () => refused(zipped(['[1,2]']), 1, /header must be an object/));
  test('when it has another format', () =>
    refused(zipped(['{"format":"pcap"}']), 1, /format must be "rmap-lab-trace", not "pcap"/));
  test('when it has another version', () =>
    refused(zipped([head.replace('"version":1', '"version":2')]), 1, /version must be 1, which this package reads, not 2/));
  test('when its end record is missing', () => refused(zipped(good.slice(0, 3)), 4, /truncated/));
  test('when its last line breaks off', () => refused(gzipSync(good.join('\n').slice(0, -1)), 4, /truncated/));
  test('when a byte of its compressed data is gone', () => refused(zipped(good).subarray(0, -1), 5, /truncated/));
  test('when something follows its end', () => refused(zipped([...good, touch]), 5, /follows the end/));
  test('when a piece of a line follows its end', () => refused(gzipSync(`${good.join('\n')}\n[`), 5, /follows the end/));
  test('when another gzip file follows it', () => refused(Buffer.concat([zipped(good), zipped(good)]), 5, /follows the end/));
  test('when a record is missing', () =>
    refused(zipped([good[0], good[1], good[3]]), 3, /corrupted: 2 touch records were written, 1 are/));
  test('when a record was changed', () =>
    refused(zipped([good[0], '["touch",0,2,1,1,"w"]', good[2], good[3]]), 4, /corrupted: its checksum/));
  test('when a line is no UTF-8', () =>
    refused(
      gzipSync(Buffer.concat([Buffer.from(`${head}\n${touch}\n["mark","`), Buffer.from([0xff]), Buffer.from('"]\n')])),
      3,
      /UTF-8/,
    ));
  test('when a line is too long', () => refused(gzipSync(`${head}\n${touch}\n${' '.repeat(2 ** 20 + 1)}`), 3, /oversized/));
  test('when a whole line is too long', () => refused(gzipSync(`${head}\n${' '.repeat(2 ** 20 + 1)}\n`), 2, /oversized/));
});

test('a corrupted compressed file is refused no later than at the corrupted record', async () => {
  const marks = Array.from({ length: 20_000 }, (_, i) => ({ type: 'mark' as const, name: `${random[i]}-${i}` }));
  const bytes = await written(marks);
  const middle = bytes.length >> 1;
  bytes.fill(0xff, middle, middle + 8);
  const { out, error } = await streamed(bytes);
  expect(error).toMatchObject({ name: 'TraceError', record: out + 1, reason: expect.stringMatching(/corrupted|JSON|must/) });
  expect(parsed(bytes)).toBeInstanceOf(TraceError);
});

test('a file that does not exist is a TraceError with its name', async () => {
  await expect(readTrace('no-such.trace.gz').next()).rejects.toMatchObject({
    name: 'TraceError',
    file: 'no-such.trace.gz',
    reason: expect.stringContaining('ENOENT'),
  });
});

test('a gzip file of endless text is refused before it fills the memory', () => {
  const member = gzipSync(`${'[]'.padEnd(2 ** 16)}\n`.repeat(1024));
  const error = parsed(Buffer.concat(Array.from({ length: 5 }, () => member)));
  expect(error).toMatchObject({ name: 'TraceError', record: 1, reason: expect.stringContaining('oversized') });
});

test('reading can be given up at any record', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'trace-'));
  const file = join(directory, 'a.gz');
  await writeFile(file, zipped(good));
  for await (const { position } of readTrace(file)) if (position === 2) break;
  await rm(directory, { recursive: true });
});

describe('a record is refused with the field and what was expected', () => {
  const cases: readonly [line: string, reason: RegExp][] = [
    ['', /no JSON/],
    ['["touch",0,1,1,1,"w"', /no JSON/],
    ['{"touch":1}', /a record must be an array/],
    ['["touchh",0,1,1,1,"w"]', /type of record must be one of process, exec,.* not "touchh"/],
    ['["__proto__",0]', /type of record/],
    ['[]', /type of record must be one of .* not nothing/],
    ['["touch",0,1,1,1]', /touch must have 6 fields, not 5/],
    ['["touch",0,1,1,1,"x"]', /access must be one of r, w, not "x"/],
    ['["touch",0,1.5,1,1,"w"]', /first must be a whole number/],
    ['["touch",0,"1",1,1,"w"]', /first must be a whole number from 0 to 34359738367, not "1"/],
    ['["touch",0,34359738368,1,1,"w"]', /first/],
    ['["touch",0,-1,1,1,"w"]', /first/],
    ['["touch",-0,1,1,1,"w"]', /process must be/],
    ['["touch",0,1e999,1,1,"w"]', /first/],
    ['["touch",0,1,0,1,"w"]', /count/],
    ['["touch",0,1,2,0,"w"]', /stride/],
    ['["touch",0,1,3,-1,"w"]', /stride must be a step that stays inside/],
    ['["touch",null,1,1,1,"w"]', /process/],
    ['["process",0,null,"fork"]', /parent must be a process, not null/],
    ['["process",0,1,"spawn"]', /parent must be null for a spawn, not 1/],
    ['["process",0,1,"clone"]', /kind must be one of spawn, fork, vfork, thread/],
    ['["exit"]', /exit must have 2 fields/],
    ['["call",0,"open",0,0]', /call must be one of mmap, munmap/],
    ['["call",0,"munmap",4096,0]', /munmap must have 6 fields, not 5/],
    ['["call",0,"munmap",140737488355328,4096,0]', /munmap's address/],
    ['["call",0,"munmap",4096,4096,"EWHAT"]', /errno must be one of/],
    ['["call",0,"munmap",4096,4096,-22]', /result/],
    ['["call",0,"mmap",0,4096,3,34,-2,0,0]', /mmap's file/],
    ['["exec",0,null,{}]', /layout must be an array/],
    ['["exec",0,null,[[0,4095,3,"p","heap",null,0]]]', /end must be a multiple of 4096/],
    ['["exec",0,null,[[4096,4096,3,"p","heap",null,0]]]', /ascending/],
    ['["exec",0,null,[[0,8192,3,"p","heap",null,0],[4096,12288,3,"p","anonymous",null,0]]]', /ascending/],
    ['["exec",0,null,[[0,4096,3,"p","stack",null,0],[4096,8192,3,"p","stack",null,0]]]', /one stack/],
    ['["exec",0,null,[[0,4096,3,"p","file",null,0]]]', /file must be a number, not null/],
    ['["exec",0,null,[[0,4096,3,"p","heap",3,0]]]', /file must be null for heap, not 3/],
    ['["exec",0,null,[[0,4096,8,"p","heap",null,0]]]', /prot/],
    ['["file",0,"",null]', /name must be a string of 1 to 4096 characters, not ""/],
    ['["file",0,"a",-1]', /size/],
    ['["kernel","swap",0,0,1]', /action/],
    ['["kernel","reclaim",0,34359738367,2]', /pages/],
    ['["mark",7]', /name/],
    ['["end",{},"xyz"]', /checksum must be 8 hexadecimal digits/],
    ['["end",{"open":1},"00000000"]', /counted type/],
    ['["end",[],"00000000"]', /counts must be an object/],
  ];
  test.each(cases)('%s', (line, reason) => refused(zipped([head, touch, line]), 3, reason));
});

describe('a header is refused with the field and what was expected', () => {
  const cases: readonly [from: string, to: string, reason: RegExp][] = [
    ['4096', '4095', /pageSize must be/],
    ['"test"', '""', /source must be/],
    ['{}', '[]', /options must be an object/],
    ['{}', '{"thp":1}', /option thp must be a string/],
    ['"options"', '"more":1,"options"', /header's field must be one of/],
  ];
  test.each(cases)('%s as %s', (from, to, reason) => refused(zipped([head.replace(from, to)]), 1, reason));
});

test('the writer refuses what a reader would refuse, with the same position', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'trace-'));
  const file = join(directory, 'a.gz');
  const writer = createTraceWriter(file);
  await writer.write(HEADER);
  await expect(writer.write({ type: 'exit', process: -1 })).rejects.toMatchObject({ name: 'TraceError', file, record: 2 });
  await writer.write({ type: 'mark', name: 'still usable' });
  await writer.end();
  const early = createTraceWriter(join(directory, 'b.gz'));
  await expect(early.write({ type: 'mark', name: 'no header' })).rejects.toMatchObject({ record: 1 });
  await expect(early.end()).rejects.toMatchObject({ record: 1, reason: expect.stringContaining('header') });
  await rm(directory, { recursive: true });
});

test('a writer whose file can not be made says so', async () => {
  const writer = createTraceWriter(join(tmpdir(), 'no-such-directory', 'a.gz'));
  await writer.write(HEADER);
  await expect(writer.end()).rejects.toMatchObject({ code: 'ENOENT' });
});

import { crc32 } from 'node:zlib';
import { TraceError } from '@rmap-lab/core';
import { expect, test } from 'vitest';
import { type BodyRecord, type Header, parseTrace, zygote } from '../src/index.js';
import { endOf, written } from './trace-bytes.js';

/** Small deterministic random numbers below `n` (xorshift32). */
function randomness(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % n;
  };
}

/** A gzip file that stores `text` uncompressed: made much faster than by zlib. */
function stored(text: Buffer): Buffer {
  const file = Buffer.alloc(23 + text.length);
  Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff, 1]).copy(file);
  file.writeUInt16LE(text.length, 11);
  file.writeUInt16LE(0xffff - text.length, 13);
  text.copy(file, 15);
  file.writeUInt32LE(crc32(text), 15 + text.length);
  file.writeUInt32LE(text.length, 19 + text.length);
  return file;
}

const lines = [
  '{"format":"rmap-lab-trace","version":1,"pageSize":4096,"source":"fuzz","options":{"thp":"never"}}',
  '["process",0,null,"spawn"]',
  '["file",0,"libc.so",123456]',
  '["exec",0,1069056,[[4096,8192,5,"p","file",0,0],[140720000000000,140720000135168,3,"p","stack",null,0]]]',
  '["call",0,"mmap",0,8192,3,34,-1,0,139637976727552]',
  '["touch",0,34091303888,2,1,"w"]',
  '["call",0,"munmap",1,8192,"EINVAL"]',
  '["process",1,0,"fork"]',
  '["kernel","reclaim",0,34091303888,2]',
  '["mark","here"]',
  '["exit",1]',
];
const counts = { process: 2, file: 1, exec: 1, call: 2, touch: 1, kernel: 1, mark: 1, exit: 1 };
const WORDS = ['[', ']', ',', '"', '\n', '-1', '1e400', 'null', '{}', '\\u0000', '140737488355328', '__proto__', '\uffff', 'end'];

/** Changes, drops, repeats or inserts something somewhere. */
function mutated(text: Buffer, random: (n: number) => number): Buffer {
  const at = random(text.length);
  const [before, after] = [text.subarray(0, at), text.subarray(at)];
  switch (random(4)) {
    case 0:
      return Buffer.concat([before, Buffer.from([random(256)]), after.subarray(1)]);
    case 1:
      return Buffer.concat([before, after.subarray(random(40))]);
    case 2:
      return Buffer.concat([before, Buffer.from(WORDS[random(WORDS.length)]), after]);
    default:
      return Buffer.concat([before, after.subarray(0, random(60)), after]);
  }
}

/** Whether the parser takes `bytes`; whatever it throws must be a TraceError at a sensible record. */
function takes(bytes: Buffer): boolean {
  try {
    parseTrace(bytes, 'fuzz');
    return true;
  } catch (error) {
    if (!(error instanceof TraceError) || error.record < 1) throw error;
    return false;
  }
}

/** Five inputs each: 20,000 in all, 50,000 by `npm run -s random:long`. */
const ROUNDS = 10 * Number(process.env.RMAP_LAB_RUNS ?? 400);

test('random and mutated inputs are read or refused with a TraceError', { timeout: 600_000 }, async () => {
  const seed = 20_260_724;
  const random = randomness(seed);
  const bytes = (): Buffer => Buffer.from(Array.from({ length: random(120) }, () => random(256)));
  const text = Buffer.from(`${[...lines, endOf(lines, counts)].join('\n')}\n`);
  expect(takes(stored(text))).toBe(true);
  const [first, ...rest] = zygote({ children: 1, vmas: 1, pages: 1 });
  const generated = await written(rest as BodyRecord[], first as Header);
  const taken = { noise: 0, foreign: 0, gzip: 0, text: 0, record: 0 };
  for (let i = 0; i < ROUNDS; i++) {
    if (takes(bytes())) taken.noise++;
    if (takes(stored(bytes()))) taken.foreign++;
    if (takes(mutated(generated, random))) taken.gzip++;
    if (takes(stored(mutated(text, random)))) taken.text++;
    // Changed and then summed again, so that nothing but the fields themselves can give it away.
    const changed = mutated(Buffer.from(lines.join('\n')), random)
      .toString()
      .split('\n');
    if (takes(stored(Buffer.from(`${[...changed, endOf(changed, counts)].join('\n')}\n`)))) taken.record++;
  }
  expect(taken).toMatchObject({ noise: 0, foreign: 0 });
  expect(taken.gzip + taken.text).toBeLessThan(ROUNDS / 20);
  expect(taken.record).toBeGreaterThan(ROUNDS / 200);
});

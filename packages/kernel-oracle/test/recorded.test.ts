import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { anonVma } from '@rmap-lab/strategy-anon-vma';
import { afterAll, describe, expect, test } from 'vitest';
import { FLAVOURS } from '../src/flavours.js';
import {
  ANY_DESIGN,
  ANY_MERGE_RULE,
  BadRecording,
  compareRecording,
  EVERYTHING,
  readRecording,
  replayRecorded,
  SHIPPED_RECORDING,
  sideBySide,
} from '../src/index.js';
import { wrongAnonVma } from './wrong-anon-vma.js';

const { header, programs } = await readRecording();
/** Some of every flavour. */
const some = programs.filter((_, i) => i % 5 === 0);

describe('what a real kernel answered', () => {
  test(`is at least 1,000 programs of every flavour: ${header.programs} by Linux ${header.kernel}`, () => {
    expect(programs.length).toBeGreaterThanOrEqual(1000);
    for (const these of [programs, some])
      expect(new Set(these.map(({ flavour }) => flavour))).toEqual(new Set(Object.keys(FLAVOURS)));
  });

  test.each(Object.keys(FLAVOURS))('the model answers, too: %s', (flavour) => {
    const mine = programs.filter((program) => program.flavour === flavour);
    const differences = mine.flatMap((program) => replayRecorded(program, anonVma()) ?? []);
    expect(differences.slice(0, 3).map(sideBySide)).toEqual([]);
  });

  test.each([ANY_DESIGN, ANY_MERGE_RULE])('the model answers as far as $name is concerned', (view) => {
    expect(some.filter((program) => replayRecorded(program, anonVma(), view) !== null)).toEqual([]);
  });

  test.each([EVERYTHING, ANY_DESIGN])('a model that is wrong does not: seen by $name', (view) => {
    const difference = some.map((program) => replayRecorded(program, wrongAnonVma(), view)).find((found) => found !== null);
    expect(sideBySide(difference!)).toMatch(/kernel: .*vma start/);
  });

  test('a design with a merge rule of its own is no difference where only that is another', () => {
    const merged = some.filter((program) => replayRecorded(program, wrongAnonVma(), ANY_DESIGN) !== null);
    const explained = merged.filter((program) => replayRecorded(program, wrongAnonVma(), ANY_MERGE_RULE) === null);
    expect(explained.length).toBeGreaterThan(merged.length / 2);
  });
});

test('Ctrl-C ends a comparison with what was recorded, of which the first programs are compared', async () => {
  const interrupt = new AbortController();
  let asked = 0;
  const strategy = () => {
    if (++asked === 20) interrupt.abort();
    return anonVma();
  };
  const report = await compareRecording({ header, programs }, strategy, interrupt.signal);
  expect(asked).toBe(20);
  expect(report).toMatchObject({ partial: true, differences: [] });
  expect(report.operations).toBe(programs.slice(0, 20).flatMap(({ program }) => program).length);
});

describe('a file that is no whole recording is refused', () => {
  const folder = mkdtempSync(join(tmpdir(), 'recording-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const refusal = async (bytes: Uint8Array): Promise<string> => {
    const file = join(folder, 'answers.jsonl.gz');
    writeFileSync(file, bytes);
    const error = await readRecording(file).catch((reason) => reason);
    expect(error).toBeInstanceOf(BadRecording);
    return (error as Error).message;
  };
  const lines = gunzipSync(readFileSync(SHIPPED_RECORDING)).toString().split('\n').slice(0, 3);
  const zip = (...texts: string[]): Uint8Array => gzipSync(texts.join('\n'));
  const three = JSON.stringify({ ...header, programs: 2 });

  test('as it is, it is accepted', async () => {
    const file = join(folder, 'whole.jsonl.gz');
    writeFileSync(file, zip(three, lines[1], lines[2], ''));
    expect((await readRecording(file)).programs).toEqual(programs.slice(0, 2));
  });

  test('none at all, or no gzip', async () => {
    await expect(readRecording(join(folder, 'none'))).rejects.toThrow(/none can't be read/);
    expect(await refusal(Buffer.from('text'))).toMatch(/no gzip file/);
    expect(await refusal(zip(''))).toMatch(/empty/);
  });

  test('cut short', async () => {
    expect(await refusal(zip(three, lines[1], ''))).toMatch(/says 2 programs and holds 1/);
    expect(await refusal(zip(three, lines[1], lines[2].slice(0, 50)))).toMatch(/line 3 is no JSON/);
  });

  test('of another version, or with other operations', async () => {
    expect(await refusal(zip(JSON.stringify({ ...header, version: 2 })))).toMatch(/line 1: at version/);
    expect(await refusal(zip(three, lines[1].replace('"op":"', '"op":"un'), lines[2]))).toMatch(/line 2: at program\.0/);
    const short = JSON.parse(lines[1]);
    short.results.pop();
    expect(await refusal(zip(three, JSON.stringify(short), lines[2]))).toMatch(/line 2 has \d+ operations, \d+ results/);
  });
});

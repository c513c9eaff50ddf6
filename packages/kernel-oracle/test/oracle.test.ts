import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  MADV_HUGEPAGE,
  MADV_MERGEABLE,
  MADV_PAGEOUT,
  MAP_POPULATE,
  type Operation,
  PROT_READ,
  PROT_WRITE,
  programToCode,
  type RmapStrategy,
} from '@rmap-lab/core';
import { anonVma } from '@rmap-lab/strategy-anon-vma';
import { afterAll, describe, expect, test, vi } from 'vitest';
import {
  BadRecording,
  campaign,
  compareRecording,
  Judge,
  KNOWN_DIFFERENCES,
  type KnownDifference,
  readRecording,
  recordAnswers,
  replayRecorded,
  sideBySide,
  type Verdict,
} from '../src/index.js';
import { observed, oracle, reason } from './observed.js';
import { programs, smallFolios } from './regressions.js';
import { wrongAnonVma } from './wrong-anon-vma.js';

afterAll(() => oracle.stop?.());

const RW = PROT_READ | PROT_WRITE;
const map = (at: number, pages: number): Operation => ({
  op: 'mmap',
  process: 0,
  at,
  pages,
  prot: RW,
  flags: 0,
  memory: 'private',
  offset: 0,
});

const cases = (orders: readonly number[], of: Readonly<Record<string, readonly Operation[]>>) =>
  Object.entries(of).map(([name, program]) => [name, program, orders] as const);

observed.each([...cases([9], programs), ...cases([4], smallFolios)])(
  'the kernel and the model agree: %s',
  async (_, program, orders) => {
    const swap = program.some((operation) => operation.op === 'madvise' && operation.advice === MADV_PAGEOUT);
    const settings = { orders, swap };
    const { difference } = await oracle.system.with(settings, () =>
      new Judge(oracle.driver, anonVma, settings).compare(program, 1),
    );
    expect(difference && sideBySide(difference)).toBeNull();
  },
);

observed('khugepaged collapses nothing of the first program after a change of settings', async () => {
  const settings = { orders: [9], swap: false };
  const pmd = { process: 0, at: 0, pages: 512 } as const;
  const bait: Operation[] = [
    { op: 'mmap', ...pmd, prot: RW, flags: MAP_POPULATE, memory: 'private', offset: 0 },
    { op: 'madvise', ...pmd, advice: MADV_HUGEPAGE },
  ];
  const meanwhile = Array.from({ length: 5000 }, (_, i): Operation => ({ op: 'write', process: 0, at: i % 512 }));
  const { difference } = await oracle.system.with(settings, () =>
    new Judge(oracle.driver, anonVma, settings).compare([...bait, ...meanwhile], 20),
  );
  expect(difference && sideBySide(difference)).toBeNull();
});

observed.each([4094, 1000])('contents that a program left in page %i of the file are not there for the next', async (offset) => {
  const settings = { orders: [9], swap: false };
  const inFile = (memory: 'file-shared' | 'file-private'): Operation => {
    return { op: 'mmap', process: 0, at: 20, pages: 1, prot: RW, memory, flags: MAP_POPULATE, offset };
  };
  const leaves: Operation[] = [inFile('file-shared'), { op: 'fill', process: 0, at: 20, pattern: 2 }];
  const merges: Operation[] = [
    map(10, 1),
    { op: 'fill', process: 0, at: 10, pattern: 2 },
    inFile('file-private'),
    { op: 'madvise', process: 0, at: 10, pages: 1, advice: MADV_MERGEABLE },
    { op: 'madvise', process: 0, at: 20, pages: 1, advice: MADV_MERGEABLE },
    { op: 'ksmScan', process: 0 },
  ];
  await oracle.system.with(settings, async () => {
    for (const program of [leaves, merges]) {
      const { difference } = await new Judge(oracle.driver, anonVma, settings).compare(program, 1);
      expect(difference && sideBySide(difference)).toBeNull();
    }
  });
});

/** The last operation fills a gap between two VMAs that anon_vma_compatible keeps apart. */
const gap: readonly Operation[] = [
  map(0, 2),
  { op: 'write', process: 0, at: 0 },
  map(10, 2),
  { op: 'write', process: 0, at: 10 },
  { op: 'fork', process: 0 },
  map(2, 8),
];

observed('a model that is wrong is found out, at the operation that shows it', async () => {
  const program: Operation[] = [...gap, { op: 'write', process: 0, at: 5 }];
  expect((await new Judge(oracle.driver, anonVma).compare(program, 3)).difference).toBeNull();
  const { difference } = await new Judge(oracle.driver, wrongAnonVma).compare(program, 3);
  expect(difference?.program).toEqual(gap);
  const printed = sideBySide(difference!);
  expect(printed).toContain(programToCode(gap));
  expect(printed).toMatch(/kernel: .*vma start 0/);
});

test('a difference that does not show again is said to be one', () => {
  const alike = ['result: ok', 'live: vm_area_struct 1, anon_vma 0, anon_vma_chain 0'];
  const printed = sideBySide({ program: gap, kernel: alike, model: [...alike] });
  expect(printed).toContain(programToCode(gap));
  expect(printed).toContain('the same as the model when the program was run again');
  expect(printed).not.toContain('result: ok');
});

/**
 * Part of the budget of `npm test`. The same programs each time, so that a change is judged by what it changed; campaigns of any length
 * and of fresh programs are `rmap-lab oracle --operations N`.
 */
const CAMPAIGN_MS = 20_000;
const seed = 4711;

observed(
  `the kernel and the model agree in a campaign of random programs, seed ${seed}`,
  async () => {
    const options = { strategy: anonVma, operations: 10_000_000, seed, signal: AbortSignal.timeout(CAMPAIGN_MS) };
    const { differences, operations, observations, known } = await campaign(oracle, options);
    const compared = `${operations.toLocaleString('en-US')} operations, ${observations.toLocaleString('en-US')} looks`;
    process.stdout.write(`kernel-oracle: seed ${seed}, ${compared} compared with this kernel, ${known} known differences\n`);
    expect(differences.map(sideBySide)).toEqual([]);
    expect(operations).toBeGreaterThan(1000);
  },
  4 * CAMPAIGN_MS,
);

if (reason !== null)
  test(`the kernel can't be observed, so recorded answers are compared instead (${reason})`, async () => {
    const { header, programs } = await readRecording();
    expect(programs.flatMap((program) => replayRecorded(program, anonVma()) ?? []).map(sideBySide)).toEqual([]);
    process.stdout.write(`kernel-oracle: ${reason}; ${header.programs} recorded programs compared instead\n`);
  });

/** Made for these tests: there is none with the right strategy. */
const merges: KnownDifference = {
  name: 'merges',
  reason: 'the wrong strategy merges what anon_vma_compatible keeps apart',
  example: { settings: { orders: [9], swap: false }, program: gap },
  matches: ({ kernel, model }) => kernel.length !== model.length,
};

observed('a difference that is known is counted, not reported; one that is not, is reported', async () => {
  const options = { strategy: wrongAnonVma, operations: 1200, seed: 7 };
  const plain = await campaign(oracle, options);
  expect(plain).toMatchObject({ known: 0 });
  expect(plain.differences.length).toBeGreaterThan(0);
  const told = await campaign(oracle, { ...options, known: [merges] });
  expect(told.known).toBeGreaterThan(0);
  expect(told.differences.every((difference) => !merges.matches(difference))).toBe(true);
});

const shows = async ({ example, matches }: KnownDifference, strategy: () => RmapStrategy): Promise<boolean> => {
  const { settings, program } = example;
  const judge = (): Promise<Verdict> => new Judge(oracle.driver, strategy, settings).compare(program, 1);
  const { difference } = await oracle.system.with(settings, judge);
  return difference !== null && matches(difference);
};

observed('the example of a known difference shows it until the model is mended', async () => {
  expect(await shows(merges, wrongAnonVma)).toBe(true);
  expect(await shows(merges, anonVma)).toBe(false);
});

for (const known of KNOWN_DIFFERENCES)
  observed(`a known difference still shows: ${known.name}`, async () => expect(await shows(known, anonVma)).toBe(true));

describe('a recording', () => {
  const folder = mkdtempSync(join(tmpdir(), 'recording-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  observed('that Ctrl-C ends is whole, of the programs that were answered by then', async () => {
    const file = join(folder, 'interrupted.gz');
    const interrupt = new AbortController();
    const header = await recordAnswers(oracle, file, {
      strategy: anonVma,
      programs: 10_000,
      seed: 7,
      signal: interrupt.signal,
      onProgress: (done) => done === 55 && interrupt.abort(),
    });
    expect(header.programs).toBe(55);
    const recording = await readRecording(file);
    expect(recording.header).toEqual(header);
    expect(await compareRecording(recording, anonVma)).toMatchObject({ differences: [], partial: false });
  });

  observed('that nothing can be written to is refused before the first question', async () => {
    const onProgress = vi.fn();
    const options = { strategy: anonVma, programs: 2, seed: 1, onProgress };
    await expect(recordAnswers(oracle, folder, options)).rejects.toThrow(BadRecording);
    await expect(recordAnswers(oracle, join(folder, 'none', 'x.gz'), options)).rejects.toThrow(/x\.gz can't be written: ENOENT/);
    expect(onProgress).not.toHaveBeenCalled();
  });

  observed('that fails, or that ends before the first answer, leaves no file behind', async () => {
    const file = join(folder, 'failed.gz');
    const options = { strategy: anonVma, programs: 2, seed: 1 };
    const broken = (): never => {
      throw new Error('broken on purpose');
    };
    await expect(recordAnswers(oracle, file, { ...options, onProgress: broken })).rejects.toThrow('broken on purpose');
    expect((await recordAnswers(oracle, file, { ...options, signal: AbortSignal.abort() })).programs).toBe(0);
    expect(readdirSync(folder).filter((name) => name.startsWith('failed'))).toEqual([]);
  });
});

import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kernel } from '@rmap-lab/core';
import { anonVma } from '@rmap-lab/strategy-anon-vma';
import { expect, test } from 'vitest';
import {
  type BodyRecord,
  forkChain,
  openWorkload,
  placeRecords,
  replay,
  UnknownWorkload,
  workloads,
  zygote,
} from '../src/index.js';
import { written } from './trace-bytes.js';

const listed = await workloads();

test('the generated workloads are listed, and nothing twice', () => {
  const names = listed.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(['fork-chain', 'zygote']));
  expect(new Set(names).size).toBe(names.length);
  for (const { kind, operations, bytes } of listed) {
    expect(operations).toBeGreaterThan(0);
    expect(bytes > 0).toBe(kind === 'recorded');
  }
});

/** Children whose VMAs, a million together, would take half a minute. Each is two operations, a fork and an exit. */
const LEFT_OUT: Readonly<Record<string, number>> = { 'many-vmas': 900 };

test.each(listed)(
  '$name replays without a fault that it can not explain, and as many operations as listed',
  { timeout: 120_000 },
  async (info) => {
    const kernel = new Kernel({ strategy: anonVma() });
    const leftOut = LEFT_OUT[info.name] ?? 0;
    const { records, kind, name } = await openWorkload(info.name, leftOut === 0 ? {} : { children: 1000 - leftOut });
    expect({ name, kind }).toEqual({ name: info.name, kind: info.kind });
    const operations = info.operations - 2 * leftOut;
    const report = await replay(kernel, records, { name });
    expect(report).toMatchObject({ operations, unexplained: 0, mismatches: 0, stopped: false });
    kernel.verify();
  },
);

test('a file is a workload too', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'workload-'));
  const file = join(directory, 'mine.gz');
  const records = [...forkChain({ depth: 1, vmas: 1, pages: 2 })];
  await writeFile(file, await written(records.slice(1) as BodyRecord[]));
  const workload = await openWorkload(file);
  expect(workload).toMatchObject({ name: file, kind: 'recorded' });
  const read = [];
  for await (const { record } of workload.records) read.push(record);
  expect(read.slice(1, -1)).toEqual(records.slice(1));
  expect((await stat(file)).size).toBeGreaterThan(0);
  await rm(directory, { recursive: true });
});

test('an unknown name lists what there is', async () => {
  const error: unknown = await openWorkload('nothing').catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UnknownWorkload);
  expect(error).toMatchObject({ workload: 'nothing', available: listed.map(({ name }) => name) });
  expect((error as Error).message).toMatch(/'nothing'.*fork-chain, zygote/);
});

test('a fork chain has the depth, VMAs and pages it was asked for, and leaves nothing', async () => {
  const kernel = new Kernel({ strategy: anonVma() });
  const seen: Record<string, unknown> = {};
  await replay(kernel, placeRecords(forkChain({ depth: 3, vmas: 2, pages: 5 })), {
    onMark: (mark) => {
      seen[mark] = { processes: kernel.processes.length, vmas: kernel.stats().vmas.live, pages: kernel.stats().pages.live };
    },
  });
  expect(seen).toEqual({
    forked: { processes: 4, vmas: 8, pages: 2 * 5 + 3 * 2 },
    exited: { processes: 0, vmas: 0, pages: 0 },
  });
});

test('a zygote has the children it was asked for, and is left alone by them', async () => {
  const kernel = new Kernel({ strategy: anonVma() });
  const seen: Record<string, number[]> = {};
  await replay(kernel, placeRecords(zygote({ children: 3, vmas: 2, pages: 4, writeEvery: 2 })), {
    onMark: (mark) => {
      seen[mark] = [kernel.processes.length, kernel.stats().vmas.live, kernel.stats().pages.live];
    },
  });
  // Each child keeps one inherited VMA, two pages of it its own, and maps two more.
  expect(seen).toEqual({ forked: [4, 2 + 3 * 3, 8 + 3 * (2 + 8)], exited: [1, 2, 8] });
  expect(kernel.processes).toHaveLength(0);
});

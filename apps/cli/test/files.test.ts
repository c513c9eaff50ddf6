import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { forkChain } from '@rmap-lab/workloads';
import { beforeAll, expect, it } from 'vitest';
import { file, rmapLab, scratch, traceFile } from './command.js';

/** Where npm starts the command when the user stands in the scratch folder. */
const cwd = join(scratch, 'clone');
beforeAll(async () => {
  mkdirSync(cwd);
  await traceFile('mine.trace.gz', forkChain({ depth: 2 }));
  file('mine.json', JSON.stringify({ strategies: ['anon-vma'], workloads: [{ workload: 'mine.trace.gz' }] }));
});

it.each([
  'compare --workload fork-chain --svg nowhere/a.svg',
  'explore lone-move-x-walk --strategy anon-vma-lazy:posted --svg nowhere/a.svg',
  'explore lone-move-x-walk --strategy anon-vma-lazy:posted --html nowhere/a.svg',
])('a picture that can not be written is told of before the work, not after it: %s', async (command) => {
  expect(await rmapLab(command.split(' '))).toEqual({
    status: 2,
    out: '',
    err: "rmap-lab: 'nowhere/a.svg': ENOENT: no such file or directory\n",
  });
});

it.each([['run --workload mine.trace.gz'], ['compare --workload mine.trace.gz --strategy anon-vma'], ['sweep mine.json']])(
  'a trace file is meant from where the user stands, not from the clone: %s',
  async (command) => {
    expect(await rmapLab(command.split(' '), { cwd })).toMatchObject({ status: 0, err: '' });
  },
);

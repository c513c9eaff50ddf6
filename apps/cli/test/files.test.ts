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

it.each([['run --workload mine.trace.gz'], ['compare --workload mine.trace.gz --strategy anon-vma'], ['sweep mine.json']])(
  'a trace file is meant from where the user stands, not from the clone: %s',
  async (command) => {
    expect(await rmapLab(command.split(' '), { cwd })).toMatchObject({ status: 0, err: '' });
  },
);

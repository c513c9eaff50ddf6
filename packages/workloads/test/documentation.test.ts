import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { Kernel } from '@rmap-lab/core';
import { anonVma } from '@rmap-lab/strategy-anon-vma';
import { expect, test } from 'vitest';
import { CALLS, parseTrace, replay } from '../src/index.js';

const text = await readFile(new URL('../../../docs/trace-format.md', import.meta.url), 'utf8');

test('the example in the documentation is a trace that can be replayed', async () => {
  const [, example] = text.match(/```json\n(.*?)```/s)!;
  const records = parseTrace(gzipSync(example), 'docs/trace-format.md');
  const report = await replay(new Kernel({ strategy: anonVma() }), records);
  expect(report).toMatchObject({ operations: 8, refused: 1, touches: 2, unexplained: 0, mismatches: 0 });
});

test('the documentation names every call', () => {
  for (const call of Object.keys(CALLS)) expect(text).toContain(`\`${call}\``);
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Comparison } from '@rmap-lab/experiments';
import { parseHTML } from 'linkedom';
import { expect, it } from 'vitest';
import { rmapLab, scratch } from './command.js';

const SHARED = ['vm_area_struct', 'mm_struct'];

it('compare --svg draws the memory of each design, and its walks', async () => {
  const size = ['--workload', 'fork-chain', '--parameter', 'depth=5'];
  const { status, out } = await rmapLab(['compare', ...size, '--svg', 'picture.svg', '--json']);
  expect(status).toBe(0);
  const { rows } = JSON.parse(out) as Comparison;
  const text = readFileSync(join(scratch, 'picture.svg'), 'utf8');
  const { document } = parseHTML(text);
  const pictures = [...document.querySelectorAll('svg > svg, svg > g > svg')];
  expect(pictures).toHaveLength(2);
  const labelsOf = (picture: (typeof pictures)[number]): string[] =>
    [...(picture?.querySelectorAll('text') ?? [])].map(({ textContent }) => textContent ?? '');
  for (const picture of pictures) expect(labelsOf(picture)).toEqual(expect.arrayContaining(rows.map(({ strategy }) => strategy)));
  for (const { slab, added } of rows) {
    const caches = Object.entries(slab).filter(([name]) => !SHARED.includes(name));
    const bytes = caches.reduce((sum, [, { peak, objectBytes }]) => sum + peak * objectBytes, added.vma + added.mm + added.folio);
    expect(labelsOf(pictures[0])).toContain((bytes / 1024).toLocaleString('en-US', { maximumFractionDigits: 1 }));
  }
  const largest = Math.max(...rows.map(({ walks }) => walks.shared.candidates.max));
  expect(labelsOf(pictures[1])).toContain(String(largest));
  expect(text).not.toMatch(/NaN|undefined/);
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Comparison } from '@rmap-lab/experiments';
import { parseHTML } from 'linkedom';
import { expect, it } from 'vitest';
import { file, rmapLab, scratch } from './command.js';

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
  for (const { own } of rows)
    expect(labelsOf(pictures[0])).toContain((own.together.bytes / 1024).toLocaleString('en-US', { maximumFractionDigits: 1 }));
  const largest = Math.max(...rows.map(({ walks }) => walks.shared.candidates.max));
  expect(labelsOf(pictures[1])).toContain(String(largest));
  expect(text).not.toMatch(/NaN|undefined/);
});

it('compare --svg shortens a long name, and keeps room for the picture', async () => {
  const source = import.meta.resolve('@rmap-lab/strategy-anon-vma').replace('/src/index.ts', '/dist/index.js');
  const name = `a strategy whose name ${'goes on and on '.repeat(8)}and ends`;
  const long = file('long.mjs', `import { anonVma } from '${source}'; export default { ...anonVma(), name: '${name}' };`);
  const { status } = await rmapLab(['compare', '--workload', 'fork-chain', '--strategy', long, '--svg', 'long.svg']);
  expect(status).toBe(0);
  const text = readFileSync(join(scratch, 'long.svg'), 'utf8');
  expect(text).toContain(`<title>${name}</title>`);
  const [, label] = />([^<>]*…[^<>]*)</.exec(text) ?? [];
  expect(label?.length).toBeLessThanOrEqual(32);
  expect([label?.slice(0, 10), label?.slice(-8)]).toEqual([name.slice(0, 10), name.slice(-8)]);
  const ticks = [...text.matchAll(/<text[^>]* transform="translate\(([\d.]+),/g)].map(([, x]) => Number(x));
  expect(Math.min(...ticks)).toBeLessThan(760 / 2);
});

it('compare --svg has colours of their own also for objects of a design from outside', async () => {
  const source = import.meta.resolve('@rmap-lab/strategy-anon-vma').replace('/src/index.ts', '/dist/index.js');
  const more = file(
    'more.mjs',
    `import { anonVma } from '${source}';
export default { ...anonVma(), name: 'more', create(services) {
  const caches = ['first', 'second'].map((name) => services.slab(name, { bytes: 64, create: () => ({}) }));
  const rmap = anonVma().create(services);
  const { prepare } = rmap;
  rmap.prepare = function* (vma) {
    for (const cache of caches) yield* cache.alloc();
    const work = prepare.call(rmap, vma);
    if (work) yield* work;
  };
  return rmap;
} };`,
  );
  const names = ['anon-vma', 'anon-vma-lazy', 'cow-context', more].flatMap((name) => ['--strategy', name]);
  await rmapLab(['compare', ...names, '--workload', 'realloc', '--svg', 'colours.svg']);
  const { document } = parseHTML(readFileSync(join(scratch, 'colours.svg'), 'utf8'));
  const legend = [...document.querySelectorAll('svg > rect[width="12"]')].map((square) => square.getAttribute('fill'));
  expect(legend.length).toBeGreaterThan(8);
  expect(new Set(legend).size).toBe(legend.length);
});

it('compare --svg says where no walk was of a shared folio, in place of drawing 0', async () => {
  await rmapLab(['compare', '--strategy', 'anon-vma', '--workload', 'jit', '--parameter', 'regions=1', '--svg', 'alone.svg']);
  const svg = readFileSync(join(scratch, 'alone.svg'), 'utf8');
  expect(svg).toContain('none was walked');
  expect(svg.match(/<circle/g)).toHaveLength(2);
});

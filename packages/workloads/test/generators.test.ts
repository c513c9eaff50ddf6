import { Kernel } from '@rmap-lab/core';
import { anonVma } from '@rmap-lab/strategy-anon-vma';
import { expect, test } from 'vitest';
import { BadParameter, openWorkload, replay, workloads } from '../src/index.js';

const names = (await workloads()).filter(({ kind }) => kind === 'generated').map(({ name }) => name);
/** Enough of those that are large on purpose. */
const SMALL: Readonly<Record<string, Record<string, number>>> = {
  android: { bootApps: 8, apps: 4, services: 30 },
  'many-vmas': { vmas: 20, children: 10 },
  snapshot: { pages: 64 },
};

async function replayed(name: string, atMark: (kernel: Kernel, mark: string) => void) {
  const kernel = new Kernel({ strategy: anonVma() });
  const { records } = await openWorkload(name, SMALL[name]);
  const report = await replay(kernel, records, { name, onMark: (mark) => atMark(kernel, mark) });
  return { kernel, report };
}

test.each(names)('%s replays without a surprise, is right at every mark, and leaves nothing', async (name) => {
  const marks: string[] = [];
  const { kernel, report } = await replayed(name, (at, mark) => {
    marks.push(mark);
    expect(at.verify()).toMatchObject({ missed: 0, wrong: 0 });
  });
  expect(marks.length).toBeGreaterThan(0);
  expect(report).toMatchObject({ mismatches: 0, unexplained: 0, refused: 0 });
  for (const process of [...kernel.processes]) process.exit(); // a phone is never switched off
  expect(kernel.stats().pages.live).toBe(0);
});

test('each habit does what it is named for', async () => {
  const seen: Record<string, number> = {};
  for (const name of ['jit', 'memory-merging', 'partial-unmap', 'fork-fan-out']) {
    await replayed(name, (kernel, mark) => {
      const { vmas, ksm, pages } = kernel.stats();
      Object.assign(seen, {
        [`${name} ${mark} vmas`]: vmas.live,
        [`${name} ${mark} ksm`]: ksm.pages,
        [`${name} ${mark} pages`]: pages.live,
      });
    });
  }
  expect(seen['jit cut vmas']).toBeGreaterThan(10 * seen['jit joined vmas']);
  expect(seen['jit joined vmas']).toBe(8);
  expect(seen['memory-merging merged pages']).toBe(seen['memory-merging merged ksm']);
  expect(seen['memory-merging copied pages']).toBeGreaterThan(100 * seen['memory-merging merged pages']);
  expect(seen['partial-unmap holes pages']).toBe(16 * 512);
  expect(seen['fork-fan-out forked vmas']).toBe(16 * 65);
});

test('parameters change what is generated, and wrong ones are refused by name', async () => {
  const count = async (parameters: Record<string, number>): Promise<number> => {
    let records = 0;
    for await (const _ of (await openWorkload('fork-chain', parameters)).records) records++;
    return records;
  };
  expect(await count({ depth: 4 })).toBeLessThan(await count({ depth: 8 }));
  for (const wrong of [{ depths: 4 }, { depth: 0 }, { depth: 1.5 }])
    await expect(count(wrong as never)).rejects.toThrow(BadParameter);
  await expect(openWorkload('shell-pipeline', { depth: 4 })).rejects.toThrow(/recorded/);
});

import { anonVma } from '@rmap-lab/strategy-anon-vma';
import { anonVmaLazy } from '@rmap-lab/strategy-anon-vma-lazy';
import { openWorkload } from '@rmap-lab/workloads';
import { expect, test } from 'vitest';
import { designUse, growthOf, measure } from '../src/index.js';

/** Joined again after they were cut, VMAs leave roots behind that merges swallowed: a design that looked as if it took nothing. */
test('unmapped VMAs that a design alone keeps are charged to it, with its fields in them', async () => {
  const [classic, lazy] = await Promise.all(
    [anonVma(), anonVmaLazy()].map(async (one) => measure(one, await openWorkload('jit'))),
  );
  const joined = lazy.marks.findIndex(({ mark }) => mark === 'joined');
  const { zombies } = lazy.marks[joined];
  expect(zombies).toBe(8);
  expect(designUse(lazy, joined)).toEqual({ objects: 8, bytes: 8 * 192, added: (8 + 8) * 16 });
  const taken = (row: typeof lazy) => designUse(row, joined).bytes + designUse(row, joined).added;
  expect(taken(lazy)).toBeGreaterThan(taken(classic));
  expect(lazy.own.objects).toBe(8);
  expect(lazy.own.bytes).toBe(8 * 192);
  const figure = (name: string) => growthOf([1], [lazy]).find((one) => one.figure === name)?.values;
  expect(figure('bytes of the design: peak')).toEqual([8 * 192]);
});

test('what a design took at once says how many of them there were just then', async () => {
  const { own, slab } = await measure(anonVmaLazy(), await openWorkload('shell-pipeline'));
  const { bytes, live, zombies, added } = own.together;
  const caches = Object.entries(live).reduce((sum, [name, n]) => sum + n * slab[name].objectBytes, 0);
  expect(caches + zombies * slab.vm_area_struct.objectBytes + added.vma + added.mm + added.folio).toBe(bytes);
});

test('as many VMAs are mapped under ANON_VMA_LAZY as under the classic design, where it keeps some that are not', async () => {
  const [classic, lazy] = await Promise.all(
    [anonVma(), anonVmaLazy()].map(async (one) => measure(one, await openWorkload('compiler-build'))),
  );
  expect(lazy.slab.vm_area_struct.peak).toBeGreaterThan(classic.slab.vm_area_struct.peak);
  expect(lazy.vmas).toEqual(classic.vmas);
});

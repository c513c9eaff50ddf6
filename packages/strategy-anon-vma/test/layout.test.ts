import { defineStrategy, Kernel, LINUX_6_18 } from '@rmap-lab/core';
import { anonVma } from '@rmap-lab/strategy-anon-vma';
import { expect, test } from 'vitest';

const layout = { vm_area_struct: 256, mm_struct: 2048, anon_vma: 120, anon_vma_chain: 80 };
const bytesIn = (kernel: Kernel): Record<string, number> =>
  Object.fromEntries(Object.entries(kernel.stats().slab).map(([name, { objectBytes }]) => [name, objectBytes]));

test('object sizes are those of Linux 6.18, or of the layout that a kernel is given', () => {
  expect(bytesIn(new Kernel({ strategy: anonVma() }))).toEqual(LINUX_6_18);
  expect(bytesIn(new Kernel({ strategy: anonVma(), layout }))).toEqual(layout);
});

test('a design keeps what it adds to a struct of Linux, and the size of its own structs', () => {
  const classic = anonVma();
  const larger = defineStrategy({
    ...classic,
    create: (services) => {
      services.slab('own', { bytes: 40, create: () => ({}) });
      const slab: typeof services.slab = (name, options) => services.slab(name, { ...options, bytes: options.bytes + 16 });
      return classic.create(Object.create(services, { slab: { value: slab } }));
    },
  });
  expect(bytesIn(new Kernel({ strategy: larger, layout }))).toEqual({ ...layout, anon_vma: 136, anon_vma_chain: 96, own: 40 });
});

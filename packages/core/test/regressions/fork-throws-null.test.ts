import { expect, it } from 'vitest';
import { Kernel, messageOf, PAGE_SIZE, type RmapServices } from '../../src/index.js';
import { ScanAll, scanAll } from '../support/scan-all.js';

// null stood for "no failure" there, so the child counted as whole.
it.each([false, true])('a fork in which the strategy throws null fails: stepping %s', (stepping) => {
  class Throws extends ScanAll {
    override fork(): void {
      // biome-ignore lint/style/useThrowOnlyError: a strategy may
      throw null;
    }
  }
  const kernel = new Kernel({ strategy: { ...scanAll(), create: (services: RmapServices) => new Throws(services) }, stepping });
  const process = kernel.spawn();
  process.write(process.mmap(PAGE_SIZE));
  let thrown: unknown = 'nothing';
  try {
    process.fork();
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBe(null);
  kernel.verify();
});

it.each([
  [new Error('why'), 'why'],
  ['why', 'why'],
  [null, 'null'],
  [Object.create(null), 'something without a text'],
  [Object.assign(new Error(), { message: () => 1 }), '() => 1'],
])('whatever is thrown can be told: %#', (thrown, message) => {
  expect(messageOf(thrown)).toBe(message);
});

import { expect, it } from 'vitest';
import { Kernel, type Op, PAGE_SIZE, type RmapServices, SleepWhileAtomic } from '../../src/index.js';
import { ScanAll, scanAll } from '../support/scan-all.js';

// The short way of a first touch takes no page-table lock, as nobody else runs. A hook that slept there went unnoticed, until another way came by.
it('a hook that sleeps under the page-table lock is found at the first touch', () => {
  class Asleep extends ScanAll {
    override *anchor(): Op<void> {
      const lock = this.services.rwsem('scan');
      yield* lock.write();
      lock.writeUnlock();
    }
  }
  const kernel = new Kernel({ strategy: { ...scanAll(), create: (services: RmapServices) => new Asleep(services) } });
  const process = kernel.spawn();
  const at = process.mmap(2 * PAGE_SIZE);
  expect(() => process.write(at)).toThrow(SleepWhileAtomic);
});
